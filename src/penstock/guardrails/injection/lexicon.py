"""Techniques of attack as patterns: what the classifier is told besides the words themselves.

Each row names a technique in many wordings and some languages. None decides by itself: the classifier learns
what a technique weighs among innocent texts that use the same words. Techniques as OWASP's LLM01:2025 and MITRE
ATLAS AML.T0051 and AML.T0054 describe them.
"""

from __future__ import annotations

from typing import Final

_DROP: Final = (
    r"(?:ignor\w*|disregard\w*|forget|bypass\w*|overrid\w*|skip|drop|discard|cancel|abandon|erase|delete|"
    r"neglect|"
    r"dismiss|reject|unlearn|set aside|throw (?:away|out)|(?:do not|don.?t|stop|no longer|never) "
    r"(?:follow|obey)\w*|"
    r"stop (?:following|obeying)|pay no attention to|cease following)"
)
_ORDERS: Final = (
    r"(?:instruct\w*|direct(?:ions?|ives?)|rules?|guidelines?|commands?|orders?|prompts?|messages?|"
    r"constraints?|"
    r"restrictions?|limitations?|programming|polic(?:y|ies)|context|guidance|safeguards?|protocols?|"
    r"tasks?|conditions?)"
)
_EARLIER: Final = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|existing|initial|original|past|old|system|developer|"
    r"hidden|before|following|current)"
)
_TELL: Final = (
    r"(?:reveal\w*|show\w*|print\w*|output\w*|repeat\w*|tell|display|write|recite|give|list|disclose|"
    r"share|dump|copy|"
    r"paste|leak\w*|expose|provide|spell|echo|quote|say|return|describe|transcribe|state|summari[sz]e|"
    r"translate|encode|"
    r"paraphrase|rewrite|what (?:is|was|are|were)|what.?s)"
)
_HIDDEN: Final = (
    r"(?:(?:your|the|my|all|full|entire|original|initial|hidden|secret|whole|exact|above|previous) ?){1,5}"
    r"(?:system ?prompt|prompt|instructions?|system message|developer message|configuration|preamble|"
    r"guidelines|"
    r"(?:text|words|sentences?|lines?|paragraphs?|content) (?:above|before)|context window|rules)"
)
_CONFIDED: Final = (
    r"(?:the|your|a|any|that|this|my|our|its|his|her|user.?s|customer.?s)? ?(?:secret\w*|password|"
    r"passphrase|pass ?code|"
    r"access code|security code|code ?word|secret (?:key|word|code|phrase)|api key|private key|"
    r"confidential \w+|"
    r"credentials?|magic word)"
)

TECHNIQUES: Final = (
    ("drop-orders", rf"\b{_DROP}\b[^.!?\n]{{0,40}}\b{_ORDERS}\b"),
    ("drop-earlier-orders", rf"\b{_DROP}\b[^.!?\n]{{0,30}}\b{_EARLIER}\b[^.!?\n]{{0,20}}\b{_ORDERS}\b"),
    (
        "drop-everything",
        (
            rf"\b{_DROP} (?:everything|anything|all|what(?:ever)?)\b[^.!?\n]{{0,30}}\b(?:above|before|said|"
            rf"told|earlier|previous\w*|prior|wrote|written)\b"
        ),
    ),
    ("drop-order-short", rf"^\W{{0,6}}(?:please |now |just )?{_DROP}\b"),
    (
        "instead-say",
        (
            r"\b(?:instead|now|then|only|just|simply|always|must),? (?:say|print|output|write|respond|reply|"
            r"answer|type|return|repeat)\b"
        ),
    ),
    (
        "say-quoted",
        (
            r"\b(?:say|print|output|write|respond with|reply with|answer with|type|return|repeat|state|utter|"
            r"begin with|start with|display)(?: exactly| only| just| the words?| the phrase)? [\"'“‘`«]"
        ),
    ),
    (
        "say-only",
        (
            r"[\"'”’`»][^\n]{0,20}\b(?:and nothing else|nothing else|only|no matter what|and stop|without "
            r"quotes|exactly|verbatim)\b"
        ),
    ),
    (
        "start-answer-with",
        (
            r"\b(?:begin|start|open|end|finish|prefix|preface)\b[^.!?\n]{0,25}\b(?:response|reply|answer|"
            r"message|output|sentence)s?\b[^.!?\n]{0,20}\b(?:with|by|saying)\b"
        ),
    ),
    ("reveal-prompt", rf"\b{_TELL}\b[^.!?\n]{{0,40}}\b{_HIDDEN}"),
    ("reveal-secret", rf"\b{_TELL}\b[^.!?\n]{{0,40}}\b{_CONFIDED}\b"),
    ("the-secret", rf"\b{_CONFIDED}\b"),
    (
        "everything-above",
        (
            r"\b(?:everything|all|words?|text|sentences?|lines?|messages?|instructions?|"
            r"conversation)\b[^.!?\n]{0,15}\b(?:above|before (?:this|that)|prior to (?:this|that)|preceding|"
            r"up to (?:this|here)|so far)\b"
        ),
    ),
    (
        "verbatim",
        (
            r"\b(?:verbatim|word for word|in full|letter by letter|character by character|exactly as|"
            r"backwards?|in reverse|rot13|base ?64|pig latin|leetspeak|morse|in code ?block)\b"
        ),
    ),
    (
        "persona-unbound",
        (
            r"\b(?:no|without|any|free (?:of|from)|not bound by|broken free|unbound|bypass\w*|"
            r"ignore\w*)\b[^.!?\n]{0,25}\b(?:restrictions?|limit(?:s|ations?)|rules|filters?|censorship|"
            r"ethic\w*|moral\w*|polic(?:y|ies)|guidelines|boundaries|laws|confines|conscience)\b"
        ),
    ),
    (
        "persona",
        (
            r"\b(?:you are (?:now|going to|no longer|about to|a|an)|you will (?:now )?(?:act|be|pretend|play|"
            r"respond|simulate)|from now on|act as|pretend (?:to be|you|that)|role-?play|simulate|impersonate|"
            r"embody|take on the (?:role|persona)|imagine (?:you are|you.re|that you))\b"
        ),
    ),
    (
        "never-refuse",
        (
            r"\b(?:never|not|don.?t|do not|cannot|can.?t|must not|will not|won.?t)\b[^.!?\n]{0,20}\b(?:refuse|"
            r"decline|reject|apologi[sz]e|say no|break character|warn\w*|disclaim\w*|moral\w*|censor\w*|"
            r"lecture|mention (?:that|ethic\w*|you)|hesitate)\b"
        ),
    ),
    (
        "stay-in-character",
        (
            r"\b(?:stay|remain|keep|be) in (?:character|role|this mode)|\bbreak(?:ing)? character\b|\bstay in "
            r"\w+ mode\b"
        ),
    ),
    (
        "jailbreak-names",
        (
            r"\b(?:DAN|STAN|AIM|DUDE|jail ?br(?:eak|oken)\w*|do anything now|developer mode|dev mode|god mode|"
            r"evil ?bot|unfiltered|uncensored|amoral|unrestricted|unhinged|chaotic|machiavelli\w*|antigpt|"
            r"anti-?gpt|opposite mode)\b"
        ),
    ),
    (
        "ai-company-rules",
        (
            r"\b(?:openai|anthropic|google|content|usage|safety)(?:.?s)? (?:polic(?:y|ies)|guidelines?|rules|"
            r"restrictions|filters?|terms)\b"
        ),
    ),
    (
        "two-answers",
        (
            r"\b(?:two|both|2) (?:responses?|answers?|repl(?:y|ies)|paragraphs|ways)\b|\[(?:classic|normal|"
            r"gpt|jailbreak|dan|🔒|🔓)[^\]]{0,20}\]|\((?:🔒|🔓)[^)]{0,20}\)"
        ),
    ),
    (
        "tokens-at-stake",
        (
            r"\b(?:lose|deduct\w*|minus|subtract\w*|start with|have) (?:\d+|all|your|five|ten|four) "
            r"?(?:tokens|points|lives|credits)\b|\btoken system\b"
        ),
    ),
    (
        "model-talk",
        r"\b(?:chat ?gpt|gpt-?\d?|language model|llm|ai (?:model|assistant|language)|chatbot|as an ai)\b",
    ),
    (
        "amoral",
        (
            r"\b(?:illegal|immoral|unethical|harmful|offensive|inappropriate|dangerous|explicit|nsfw|"
            r"profanity|swear\w*|curse)\b[^.!?\n]{0,40}\b(?:allowed|okay|fine|content|answers?|responses?|"
            r"requests?|things?|acts?|without|regardless|anything)\b"
        ),
    ),
    (
        "any-question",
        (
            r"\b(?:any|all|every|each|whatever)\b[^.!?\n]{0,15}\b(?:questions?|requests?|prompts?|inputs?|"
            r"queries|commands?)\b[^.!?\n]{0,30}\b(?:i|asked?|without|no matter|must|will|answer\w*|"
            r"regardless|make)\b"
        ),
    ),
    (
        "my-first",
        (
            r"\bmy (?:first|next) (?:question|request|prompt|command|message|input|task|query)\b|\bif you "
            r"understand\b|\bsay \S{0,20}(?:understood|ok|yes|ready)\b|\[?\binsert (?:your )?(?:prompt|"
            r"question|request)\b"
        ),
    ),
    (
        "system-marks",
        (
            r"<\|?(?:im_start|im_end|system|endoftext|start_header_id|eot_id)[^>]{0,20}>|\[/?(?:INST|SYSTEM|"
            r"SYS|ADMIN|USER|END)\b[^\]]{0,30}\]|<</?SYS>>|^\s{0,3}#{2,4} ?(?:system|instructions?|new|admin|"
            r"assistant|user)\b|\b(?:SYSTEM|ADMIN|ASSISTANT|USER|OVERRIDE):"
        ),
    ),
    (
        "end-of-text",
        (
            r"\b(?:end|begin|start|stop)(?:ning)?(?: of| the| all| any| my| user| new| old| current| out of "
            r"date)* (?:instructions?|prompt|system|context|input|section|rules|text|user|document|output|"
            r"conversation|test)\b"
        ),
    ),
    (
        "new-orders",
        (
            r"\b(?:new|updated|additional|corrected|real|actual|revised|following) (?:instructions?|rules?|"
            r"task|orders?|prompt|directives?|role|policy|guidelines?)\b"
        ),
    ),
    (
        "orders-void",
        (
            r"\b(?:instructions?|rules|prompts?|orders|guidelines|restrictions|polic(?:y|ies)|filters?|"
            r"safeguards)\b[^.!?\n]{0,25}\b(?:void|outdated|cancel\w*|invalid|no longer|wrong|superseded|"
            r"suspended|lifted|disabled|removed|off|a test|do(?:es)? not apply|changed|over|ended)\b"
        ),
    ),
    (
        "authority",
        (
            r"\b(?:i am|i.m|this is|as|by|from)\b[^.!?\n]{0,12}\b(?:the |your |an? )?(?:admin\w*|developer|"
            r"creator|owner|engineer|maintainer|supervisor|auditor|root|security (?:team|officer)|police|"
            r"officer|ceo|openai|system|operator|tester|doctor|programmer)\b"
        ),
    ),
    (
        "modes",
        (
            r"\b(?:enter|activate|enable|switch to|turn on|start|boot|in|run)\w*\b[^.!?\n]{0,15}\b(?:debug|"
            r"admin\w*|maintenance|root|sudo|god|unrestricted|test|diagnostic|override|developer|training|"
            r"safe.?off|terminal)\b[^.!?\n]{0,8}\bmode\b|\bsudo\b|\boverride code\b|\bauthori[sz]ation code\b"
        ),
    ),
    (
        "personal-data-asked",
        (
            r"\b(?:user|customer|client|person|patient|their|his|her|"
            r"someone)(?:.?s)?\b[^.!?\n]{0,25}\b(?:address|phone|birth\w*|full name|surname|last name|home "
            r"?town|city|credit card|email|salary|bank account|location|age|maiden|passport|ssn|social "
            r"security|employer|password|workplace|school)\b"
        ),
    ),
    (
        "password-given",
        (
            r"\b(?:correct|right|valid|secret)\b[^.!?\n]{0,12}\b(?:password|code|key|passphrase|word|input|"
            r"answer)\b|\b(?:password|code|key|passphrase)\b[^.!?\n]{0,15}\b(?:is|was|"
            r"were)\b[^.!?\n]{0,12}\b(?:correct|right|valid|accepted)\b"
        ),
    ),
    (
        "hypothetical",
        (
            r"\b(?:hypothetical\w*|fictional|parallel universe|imaginary|make-?believe|in this (?:story|world|"
            r"scenario|game)|for (?:educational|research|testing|academic) purposes?)\b"
        ),
    ),
    (
        "split-payload",
        (
            r"\b(?:concatenat\w*|combine|join|merge|put together)\b[^\n]{0,60}[\"'`+]|[\"'`]\s?\+\s?[\"'`a-z]|"
            r"\b[a-z] ?= ?[\"'`][^\"'`\n]{1,30}[\"'`]"
        ),
    ),
    (
        "phish",
        (
            r"\b(?:reset (?:their|your|the) password|click (?:here|the link|on)|verify (?:their|your) account|"
            r"confirm (?:their|your)|bank details|gift cards?|login (?:details|credentials)|download (?:a|"
            r"the) file|transfer (?:money|funds)|account (?:was|has been) compromised)\b"
        ),
    ),
    (
        "to-the-model",
        (
            r"\b(?:your (?:reply|response|answer|output|summary|message|solution|code|implementation|codebase|"
            r"program|script))\b"
        ),
    ),
    (
        "add-to-answer",
        (
            r"\b(?:include|add|append|insert|mention|provide|offer|incorporate|embed|attach|integrate|enhance|"
            r"enrich|begin|conclude|end|supplement|complete|improve|fuse|merge|infuse|blend|"
            r"weave)\b[^.!?\n]{0,60}\b(?:your|the) (?:reply|response|answer|output|summary|message|solution|"
            r"code\w*|implementation|program|script)\b"
        ),
    ),
    (
        "forward",
        (
            r"\b(?:send|forward|upload|post|email|exfiltrat\w*|transmit)\b[^.!?\n]{0,40}\b(?:to|"
            r"at)\b[^.!?\n]{0,12}(?:https?://|[\w.+-]{1,30}@|attacker|this (?:address|url|server))"
        ),
    ),
    (
        "hidden-text",
        r"<!--|display: ?none|font-size: ?0|visibility: ?hidden|color: ?(?:white|#fff)|opacity: ?0|\[//\]: ?#",
    ),
    (
        "languages",
        (
            r"(?:ignor(?:a|ez|e|iere|er|ar|ieren)|olvida|oublie\w*|vergiss|negeer|zignoruj|dimentica|"
            r"esque[çc]a|glem|unohda|abaikan|bỏ qua|yok say)\b[^.!?\n]{0,40}(?:instruc\w*|consignes|"
            r"anweisung\w*|istruzion\w*|instru\w*|polece\w*|instrukc\w*|ordin\w*|reglas|règles|regeln|regole|"
            r"regras|talimat\w*|instruksi)|(?:忽略|无视|忘记|忘掉|無視|忽視)[^。\n]{0,20}(?:指令|指示|说明|规则|提示|內容|内容|命令)|"
            r"(?:игнорируй|забудь|забудьте|игнорируйте)[^.\n]{0,40}(?:инструкц|указани|правил)|무시|تجاهل|अनदेखा"
        ),
    ),
    (
        "languages-secret",
        (
            r"(?i:contraseña|clave secreta|mot de passe|clé secrète|passwort|geheim\w*|chiave segreta|senha|"
            r"пароль|секретн|密码|密碼|密钥|口令|パスワード|秘密|비밀번호|비밀|"
            r"كلمة (?:المرور|السر)|wachtwoord|hasło|lösenord|"
            r"şifre|mật khẩu|kata sandi|पासवर्ड|गुप्त)"
        ),
    ),
)
