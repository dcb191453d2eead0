import Anthropic from '@anthropic-ai/sdk';
import { assert, forEachModel, gateway, key, weather } from './checks.mjs';

const client = new Anthropic({ baseURL: gateway, apiKey: key, maxRetries: 0 });
const tool = { name: 'get_weather', description: weather.description, input_schema: weather.schema };
const ask = (model, content, more = {}) => ({ model, max_tokens: 1000, messages: [{ role: 'user', content }], ...more });

await forEachModel({
  async 'a message answers and streams the same'(model) {
    const whole = await client.messages.create(ask(model, 'Where does the river end?', { system: [{ type: 'text', text: 'Be terse.', cache_control: { type: 'ephemeral' } }] }));
    assert.equal(whole.stop_reason, 'end_turn');
    const streamed = await client.messages.stream(ask(model, 'Where does the river end?')).finalMessage();
    assert.ok(whole.content[0].text.length > 0);
    assert.equal(streamed.content[0].text, whole.content[0].text);
    assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
  },

  async 'a tool is called and its result comes back'(model) {
    const asked = await client.messages.create(ask(model, 'How is the weather?', { tools: [tool] }));
    assert.equal(asked.stop_reason, 'tool_use');
    const call = asked.content.find(block => block.type === 'tool_use');
    assert.equal(typeof call.input.city, 'string');
    const told = await client.messages.create({
      model, max_tokens: 1000, tools: [tool],
      messages: [
        { role: 'user', content: 'How is the weather?' },
        { role: 'assistant', content: asked.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'sunny' }] },
      ],
    });
    assert.equal(told.stop_reason, 'end_turn');
  },

  async 'tools are called in parallel in a stream'(model) {
    const message = await client.messages.stream(
      ask(model, 'Use tools in parallel', { tools: [tool, { ...tool, name: 'get_time' }], tool_choice: { type: 'any' } })).finalMessage();
    const calls = message.content.filter(block => block.type === 'tool_use');
    assert.deepEqual(calls.map(call => call.name), ['get_weather', 'get_time']);
    assert.ok(calls.every(call => typeof call.input === 'object'));
  },

  async 'tokens are counted'(model) {
    const counted = await client.messages.countTokens({ model, messages: [{ role: 'user', content: 'How many?' }] });
    assert.ok(counted.input_tokens > 0 && counted.input_tokens < 30);
  },

  async 'errors are its own classes'(model) {
    await assert.rejects(
      new Anthropic({ baseURL: gateway, apiKey: 'sk-nobody', maxRetries: 0 }).messages.create(ask(model, 'x')),
      error => error instanceof Anthropic.AuthenticationError && error.error.error.type === 'authentication_error');
    await assert.rejects(client.messages.create({ model, max_tokens: 'many', messages: [] }), error => error instanceof Anthropic.BadRequestError);
  },
});
