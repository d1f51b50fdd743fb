// Drives the unmodified `openai` package against a base URL and prints what it got as one JSON object.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, baseURL, apiKey, model] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${folder}/`));
const { default: OpenAI, toFile } = await import(pathToFileURL(require.resolve("openai")));
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60_000 });
const messages = [{ role: "user", content: "Hello there, big world." }];
const tools = [
  {
    type: "function",
    function: {
      name: "weather",
      parameters: {
        type: "object",
        properties: { unit: { type: "string", enum: ["c", "f"] } },
        required: ["unit"],
        additionalProperties: false,
      },
    },
  },
];
const limits = { max_tokens: 20, temperature: 0, seed: 1 };
const got = {};

const { data, response } = await client.chat.completions.create({ model, messages, ...limits }).withResponse();
got.chat = data.choices[0].message.content;
got.requestId = data._request_id;
got.headerId = response.headers.get("x-request-id");
got.target = response.headers.get("x-penstock-target");

got.streamed = "";
got.usage = null;
const stream = await client.chat.completions.create({
  model,
  messages,
  ...limits,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  got.streamed += chunk.choices[0]?.delta?.content ?? "";
  got.usage = chunk.usage ?? got.usage;
}

const bias = JSON.parse(process.env.TOOL_BIAS ?? "null");
const called = await client.chat.completions.create({
  model,
  messages,
  tools,
  max_tokens: 150,
  temperature: 0,
  ...(bias ? { logit_bias: bias } : {}),
});
got.tool = called.choices[0].message.tool_calls[0].function;

const vectors = await client.embeddings.create({ model, input: ["one", "two"] });
got.vectors = vectors.data.map((each) => each.embedding.length);

const answer = await client.responses.create({ model, input: "Hello", max_output_tokens: 12, temperature: 0 });
got.response = answer.output_text;
got.responseStreamed = "";
for await (const event of await client.responses.create({
  model,
  input: "Hello",
  max_output_tokens: 12,
  temperature: 0,
  stream: true,
})) {
  if (event.type === "response.output_text.delta") got.responseStreamed += event.delta;
  got.lastEvent = event.type;
}

if (model.startsWith("sim/")) {
  const speech = await client.audio.speech.create({ model, input: "Hello", voice: "alloy" });
  const sound = Buffer.from(await speech.arrayBuffer());
  got.sound = sound.subarray(0, 4).toString();
  const file = await toFile(sound, "talk.wav");
  got.heard = (await client.audio.transcriptions.create({ model, file })).text;
  got.models = (await client.models.list()).data.map((each) => each.id);
  try {
    await client.chat.completions.create({ model: "sim/error-429", messages });
  } catch (error) {
    got.error = { name: error.constructor.name, status: error.status, code: error.code, id: error.requestID };
  }
  try {
    for await (const _ of await client.chat.completions.create({
      model: "sim/tokens-50+error-after-5",
      messages,
      stream: true,
    }));
  } catch (error) {
    got.broken = error.constructor.name;
  }
}
console.log(JSON.stringify(got));
