import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateObject, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { assert, forEachModel, gateway, key, weather } from './checks.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const openai = createOpenAI({ baseURL: `${gateway}/v1`, apiKey: key });
const anthropic = createAnthropic({ baseURL: `${gateway}/v1`, apiKey: key });
const surfaces = { chat: model => openai.chat(model), responses: model => openai.responses(model), messages: model => anthropic(model) };
const tools = {
  get_weather: tool({ description: weather.description, inputSchema: jsonSchema(weather.schema), execute: async ({ city }) => `sunny in ${city}` }),
};

const checks = {};
for (const [surface, make] of Object.entries(surfaces)) {
  checks[`${surface}: text and stream are the same`] = async model => {
    const prompt = 'Where does the river end?';
    const whole = await generateText({ model: make(model), prompt, maxRetries: 0 });
    const stream = streamText({ model: make(model), prompt, maxRetries: 0 });
    let text = '';
    for await (const piece of stream.textStream) {
      text += piece;
    }

    assert.ok(text.length > 0);
    assert.equal(text, whole.text);
    assert.equal(await stream.finishReason, 'stop');
    assert.equal((await stream.usage).outputTokens, whole.usage.outputTokens);
  };

  checks[`${surface}: tools run in a loop, streamed`] = async model => {
    const stream = streamText({ model: make(model), prompt: 'How is the weather?', tools, stopWhen: stepCountIs(3), maxRetries: 0 });
    await stream.consumeStream();
    const steps = await stream.steps;
    assert.equal(steps.length, 2);
    assert.match(String(steps[0].toolResults[0].output), /^sunny in /);
    assert.ok(steps[1].text.length > 0);
  };

  checks[`${surface}: an object of a schema`] = async model => {
    const { object } = await generateObject({ model: make(model), prompt: 'A city?', schema: jsonSchema(weather.schema), maxRetries: 0 });
    assert.equal(typeof object.city, 'string');
  };
}

await forEachModel(checks);
