// Drives the unmodified JavaScript packages against a base URL and prints what they got as one JSON object.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, base, apiKey, models] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${folder}/`));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { default: OpenAI } = await load("openai");
const { default: Anthropic } = await load("@anthropic-ai/sdk");
const { GoogleGenAI } = await load("@google/genai");
const { generateText, streamText, generateObject, tool, stepCountIs } = await load("ai");
const { createOpenAI } = await load("@ai-sdk/openai");
const { createAnthropic } = await load("@ai-sdk/anthropic");
const { z } = await load("zod");

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const hello = [{ role: "user", content: "Hello" }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

const failing = async (call) => {
  try {
    await call();
  } catch (error) {
    return [error.constructor.name, error.status ?? error.statusCode];
  }
  return null;
};

async function openaiChat(key, model) {
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
  const plain = await client.chat.completions.create({ model, messages: hello });
  const streamed = client.chat.completions.stream({ model, messages: hello });
  const tools = [{ type: "function", function: { name: "weather", parameters } }];
  const first = (await client.chat.completions.create({ model, messages: hello, tools })).choices[0].message;
  const call = first.tool_calls[0];
  const result = { role: "tool", tool_call_id: call.id, content: "mild" };
  const second = await client.chat.completions.create({ model, messages: [...hello, first, result], tools });
  return {
    plain: plain.choices[0].message.content,
    usage: [plain.usage.prompt_tokens, plain.usage.completion_tokens],
    streamed: await streamed.finalContent(),
    input: JSON.parse(call.function.arguments),
    tools: second.choices[0].message.content,
  };
}

async function openaiResponses(key, model) {
  const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
  const plain = await client.responses.create({ model, input: "Hello" });
  const streamed = await client.responses.stream({ model, input: "Hello" }).finalResponse();
  const wish = {
    model,
    tools: [{ type: "function", name: "weather", parameters, strict: false }],
    reasoning: { effort: "medium", summary: "auto" },
    include: ["reasoning.encrypted_content"],
    store: false,
  };
  const first = await client.responses.create({ ...wish, input: hello });
  const call = first.output.find((item) => item.type === "function_call");
  const result = { type: "function_call_output", call_id: call.call_id, output: "mild" };
  const second = await client.responses.create({ ...wish, input: [...hello, ...first.output, result] });
  return {
    plain: plain.output_text,
    usage: [plain.usage.input_tokens, plain.usage.output_tokens],
    streamed: streamed.output_text,
    input: JSON.parse(call.arguments),
    tools: second.output_text,
  };
}

async function anthropic(key, model) {
  const client = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 });
  const wish = { model, max_tokens: 4000, messages: hello };
  const plain = await client.messages.create(wish);
  const streamed = await client.messages.stream(wish).finalText();
  const tools = [{ name: "weather", input_schema: parameters }];
  const thinking = { type: "enabled", budget_tokens: 1024 };
  const first = await client.messages.stream({ ...wish, tools, thinking }).finalMessage();
  const call = first.content.find((block) => block.type === "tool_use");
  const result = { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "mild" }] };
  const turn = [...hello, { role: "assistant", content: first.content }, result];
  const second = await client.messages.create({ ...wish, messages: turn, tools, thinking });
  const used = plain.usage;
  return {
    plain: plain.content[0].text,
    usage: [used.input_tokens + used.cache_read_input_tokens, used.output_tokens],
    streamed,
    input: call.input,
    tools: second.content.at(-1).text,
    count: (await client.messages.countTokens({ model, messages: hello })).input_tokens,
  };
}

async function google(key, model) {
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base } });
  const plain = await client.models.generateContent({ model, contents: "Hello" });
  let streamed = "";
  for await (const chunk of await client.models.generateContentStream({ model, contents: "Hello" })) {
    streamed += chunk.text ?? "";
  }
  const config = {
    tools: [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: parameters }] }],
    thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 },
    maxOutputTokens: 4000,
  };
  const asked = { role: "user", parts: [{ text: "Hello" }] };
  const first = await client.models.generateContent({ model, contents: [asked], config });
  const [call] = first.functionCalls;
  const part = { functionResponse: { id: call.id, name: call.name, response: { result: "mild" } } };
  const turn = [asked, first.candidates[0].content, { role: "user", parts: [part] }];
  const second = await client.models.generateContent({ model, contents: turn, config });
  return {
    plain: plain.text,
    usage: [plain.usageMetadata.promptTokenCount, plain.usageMetadata.candidatesTokenCount],
    streamed,
    input: call.args,
    tools: second.text,
    count: (await client.models.countTokens({ model, contents: "Hello" })).totalTokens,
  };
}

async function aiSdk(model, providerOptions) {
  const schema = z.object({ city: z.string(), celsius: z.number() });
  const wish = { model, maxRetries: 0 };
  const plain = await generateText({ ...wish, prompt: "Hello" });
  const stream = streamText({ ...wish, prompt: "Hello" });
  let input = null;
  const weather = tool({
    description: "Tell the weather.",
    inputSchema: z.object({ city: z.string() }),
    execute: (given) => {
      input = given;
      return "mild";
    },
  });
  const loop = { tools: { weather }, stopWhen: stepCountIs(3), providerOptions };
  const called = await generateText({ ...wish, prompt: "Hello", ...loop });
  const content = [
    { type: "text", text: "What is it?" },
    { type: "image", image: Buffer.from(PIXEL, "base64"), mediaType: "image/png" },
  ];
  return {
    plain: plain.text,
    usage: [plain.usage.inputTokens, plain.usage.outputTokens],
    streamed: await stream.text,
    input,
    tools: called.text,
    shaped: (await generateObject({ ...wish, prompt: "Hello", schema })).object,
    picture: (await generateText({ ...wish, messages: [{ role: "user", content }] })).text,
  };
}

const aiOpenAI = (key) => createOpenAI({ baseURL: `${base}/v1`, apiKey: key });
const aiAnthropic = (key) => createAnthropic({ baseURL: `${base}/v1`, apiKey: key });
const reasoning = {
  openai: { reasoningEffort: "medium", reasoningSummary: "auto", include: ["reasoning.encrypted_content"], store: false, forceReasoning: true },
};
const thinking = { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } };
const clients = {
  openai_chat: openaiChat,
  openai_responses: openaiResponses,
  anthropic,
  google,
  ai_openai_responses: (key, model) => aiSdk(aiOpenAI(key)(model), reasoning),
  ai_openai_chat: (key, model) => aiSdk(aiOpenAI(key).chat(model)),
  ai_anthropic: (key, model) => aiSdk(aiAnthropic(key)(model), thinking),
};

const got = {};
for (const [role, model] of Object.entries(JSON.parse(models))) {
  got[role] = {};
  for (const [name, run] of Object.entries(clients)) {
    try {
      got[role][name] = await run(apiKey, model);
    } catch (error) {
      got[role][name] = { failed: `${error.stack}`.slice(0, 1500) };
    }
    got[role][name].wrong_key = await failing(() => run("sk-wrong", model));
    got[role][name].unknown_model = await failing(() => run(apiKey, "no-such-model"));
  }
}
console.log(JSON.stringify(got));
