"""Closed classes of English words that decide whether two questions ask the same; own lists."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that a question is built with. They carry nothing of what it is about.
FUNCTION = _set(
    "a an the this that these those some any there here it its i me my mine we us our ours you your "
    "yours he him his she her hers they them their theirs one ones be is am are was were been being do "
    "does did done doing have has had having can could may might must shall should will would to of in "
    "on at by for with about as into onto and or so such if then than too also just please kindly hello "
    "hi hey thanks thank ok okay well now actually really simply let lets get got gets getting go goes "
    "going how what which who whom whose when where why not no s t re ve ll d m from within under "
    "through per via"
)
# Words that frame a question: they may come and go with a rephrasing.
FRAMING = _set(
    "tell explain say show give want need like wish know wonder help way ways method manner best good "
    "right proper possible able allow allowed permit permitted please find look looking exactly "
    "currently become make made take come thing things something anything someone somebody question "
    "answer information info detail details step steps process procedure instruction instructions guide "
    "describe mean kind type sort use using used work works happen happens lot much many long there try "
    "trying currently still already yet even ever quite very question correct advise advice suggest "
    "suggestion recommend recommendation provide list name person people up out off down number amount "
    "point time place day case reason cause call required require necessary available"
)
# What turns a statement into its contrary; not if a politeness follows, which questions of users do not have.
DENIALS = _set("not no never none nothing neither nor without cannot nobody nowhere hardly")
NEGATION = _set(
    "not no never none nothing neither nor without cannot nobody nowhere hardly lack lacks lacking "
    "avoid except stop quit free fail refuse instead"
)
PERSONS = _set("i me my mine we us our ours myself ourselves")
OTHERS = _set("you your yours he him his she her hers they them their theirs")
PREPOSITIONS = _set(
    "from to into onto in on at by for with without of off out over under above below before after "
    "between against towards until since during inside outside behind via than per"
)
QUANTITIES = _set(
    "all every each both some any few several many most more less fewer least no none only half enough "
    "always never sometimes often usually rarely once twice first last second next previous minimum "
    "maximum min max another other"
)
_OPPOSITES = """
before after|with without|over under|above below|more less|more fewer|in out|on off|up down
inside outside|min max|minimum maximum|least most|first last|earliest latest|early late|include exclude
included excluded|always never|all none|all some|every some|every no|all no|open closed|open close
allowed banned|allow ban|allowed forbidden|permit prohibit|allow prevent|subscribe unsubscribe
upgrade downgrade|accept decline|accept reject|approve reject|approve deny|grant deny|enable disable
enabled disabled|activate deactivate|activate block|lock unlock|increase decrease|increase reduce
raise lower|add remove|add delete|create delete|create drop|insert delete|install uninstall
install remove|import export|upload download|send receive|encrypt decrypt|login logout|start stop
start end|begin end|begin finish|start finish|start quit|win lose|win loss|gain lose|gain loss|buy sell
borrow lend|push pull|pro con|pros cons|benefit drawback|advantage disadvantage|advantage drawback
benefit risk|benefit disadvantage|pro contra|best worst|good bad|better worse|hot cold|cheap expensive
cheapest priciest|cheap pricey|high low|highest lowest|tall short|tallest shortest|tallest smallest
big small|biggest smallest|large small|largest smallest|long short|longest shortest|old young
older younger|oldest youngest|oldest newest|old new|fast slow|quick slow|fastest slowest
ascending descending|arrival departure|arrive leave|arrive depart|departure return|enter leave|enter exit
entrance exit|income expense|credit debit|deposit withdraw|deposit withdrawal|present absent
public private|online offline|internal external|domestic international|local global|manual automatic
adult child|adult children|male female|men women|man woman|boy girl|husband wife|mother father
son daughter|brother sister|north south|east west|left right|top bottom|front back|morning evening|am pm
day night|today tomorrow|today yesterday|tomorrow yesterday|weekday weekend|summer winter|spring autumn
monthly yearly|monthly annual|daily weekly|weekly monthly|full empty|single double|singular plural
positive negative|true false|yes no|legal illegal|safe dangerous|safe unsafe|possible impossible
same different|similar different|similarity difference|hire fire|employ dismiss|buyer seller
lender borrower|landlord tenant|employer employee|teacher student|doctor patient|client server
sender recipient|input output|request response|read write|mute unmute|freeze unfreeze|hide show|show hide
visible hidden|attach detach|connect disconnect|join leave|join split|merge split|follow unfollow
like dislike|expand collapse|zip unzip|compress decompress|compress extract|save delete|keep discard
save spend|eat avoid|take avoid|use avoid|do stop|continue stop|continue cancel|renew cancel|book cancel
order cancel|check-in check-out|pass fail|succeed fail|success failure|strong weak|strength weakness
heavy light|wet dry|dark light|black white|raw cooked|sweet sour|inhale exhale|freezing boiling
freeze boil|melt freeze|maximize minimize|maximise minimise|sync async|synchronous asynchronous
lossless lossy|static dynamic|gross net|gain drop|rise fall|grow shrink|question answer|cause effect
cause symptom|cause treatment|symptom treatment|cause cure|lost found|lose find|hit miss
declined accepted|decline accept|discount surcharge
"""
OPPOSITES = tuple(
    (pair.split()[0], pair.split()[1]) for pair in _OPPOSITES.replace("\n", "|").split("|") if pair.strip()
)
# Words that questions of everyday and of software use for one thing, where dictionaries keep them apart.
_ALIKE = """
cost price fee charge expensive|purchase buy acquire|fix repair solve resolve mend troubleshoot
laptop notebook|phone telephone smartphone mobile cellphone|picture photo image photograph|film movie
car automobile vehicle|flat apartment|holiday vacation|salary wage pay|job position|kid child children
begin start launch commence|finish end complete|remove delete erase
change modify alter edit update switch|make create build generate|setup configure set-up install
email e-mail mail|login log-in signin sign-in logon|display show|error failure bug problem issue trouble
quick fast rapid quickly speedy|cheap inexpensive affordable|big large huge|small little tiny
hard difficult tough|easy simple|deactivate disable|activate enable|refund reimburse reimbursement
return refund|cancel terminate|obtain get receive|population inhabitant inhabitants|advantage benefit pro
disadvantage drawback con downside|increase raise boost|decrease reduce lower|explain describe clarify
summary summarise summarize overview|difference differ distinction|tall high tallest highest peak
speed velocity|weight heavy|distance far|age old|medicine medication drug|illness disease sickness
picture image|customer client|shop store|fridge refrigerator|luggage baggage bag
yearly annual annually year|monthly month|weekly week|daily day|hour hours
instalment installment instalments|employee staff worker|contact reach|assist help support
document file doc|folder directory|function method|list array|ram memory|postgres postgresql
js javascript|py python|k8s kubernetes|db database|app application|auth authentication
config configuration setting|repo repository|doc documentation docs manual|kilometre kilometer km
metre meter|litre liter|gram gramme g|kilogram kg kilo kilos kilogramme|mile miles|percent % percentage
dollar $ usd|euro € eur euros|pound £ gbp|uk britain|us usa america|ceo chief|need require must
happen occur|often frequently|approximately about around roughly|method approach way technique
goal purpose aim objective|utilize employ use usage utilise utilization
specify designate specified designated|give provide furnish supply offer|retrieve obtain fetch
convert transform|process handle|example instance|allow enable let|select pick choose|show display
tutorial guide|return produce yield|generate produce|beginner newcomer|symptom sign|recipe cook
author write wrote written writer|invent inventor invented|visa visas|ticket pass|transfer send move
shipping delivery|ship dispatch deliver|arrive come|road street|locate find location|contain include
cover include|limit maximum max|permitted allowed legal|film movie
"""
ALIKE = tuple(frozenset(group.split()) for group in _ALIKE.replace("\n", "|").split("|") if group.strip())
