import OpenAI from 'openai';
import { assert, forEachModel, gateway, key, weather } from './checks.mjs';

const client = new OpenAI({ baseURL: `${gateway}/v1`, apiKey: key, maxRetries: 0 });
const tool = { type: 'function', function: { name: 'get_weather', description: weather.description, parameters: weather.schema } };
const flatTool = { type: 'function', name: 'get_weather', description: weather.description, parameters: weather.schema, strict: false };

await forEachModel({
  async 'chat answers and streams the same'(model) {
    const messages = [{ role: 'system', content: 'Be terse.' }, { role: 'user', content: 'Where does the river end?' }];
    const whole = await client.chat.completions.create({ model, messages });
    const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
    let text = '', usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? '';
      usage = chunk.usage ?? usage;
    }

    assert.ok(text.length > 0);
    assert.equal(text, whole.choices[0].message.content);
    assert.equal(whole.choices[0].finish_reason, 'stop');
    assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [whole.usage.prompt_tokens, whole.usage.completion_tokens]);
  },

  async 'a tool is called in a chat and its result comes back'(model) {
    const runner = client.chat.completions.runTools({
      model,
      messages: [{ role: 'user', content: 'How is the weather?' }],
      tools: [{ type: 'function', function: { ...tool.function, function: async ({ city }) => `sunny in ${city}`, parse: JSON.parse } }],
    });
    const said = await runner.finalContent();
    assert.ok(said.length > 0);
    assert.ok(runner.messages.some(message => message.role === 'tool' && message.content.startsWith('sunny in ')));
  },

  async 'a chat answers in a schema'(model) {
    const answer = await client.chat.completions.parse({
      model, messages: [{ role: 'user', content: 'A city?' }],
      response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema: weather.schema } },
    });
    assert.equal(typeof JSON.parse(answer.choices[0].message.content).city, 'string');
  },

  async 'a response answers'(model) {
    const response = await client.responses.create({ model, instructions: 'Be terse.', input: 'Where does the river end?', store: false });
    assert.equal(response.status, 'completed');
    assert.ok(response.output_text.length > 0);
    assert.ok(response.usage.input_tokens > 0 && response.usage.total_tokens === response.usage.input_tokens + response.usage.output_tokens);
  },

  async 'a response streams what it answers'(model) {
    const whole = await client.responses.create({ model, input: 'Streaming?' });
    const stream = client.responses.stream({ model, input: 'Streaming?' });
    let text = '', next = 0;
    for await (const event of stream) {
      assert.equal(event.sequence_number, next++);
      text += event.type === 'response.output_text.delta' ? event.delta : '';
    }

    const last = await stream.finalResponse();
    assert.equal(text, whole.output_text);
    assert.equal(last.output_text, whole.output_text);
    assert.equal(last.usage.output_tokens, whole.usage.output_tokens);
  },

  async 'a tool is called in a response and its result comes back'(model) {
    const input = [{ role: 'user', content: 'How is the weather?' }];
    const asked = await client.responses.create({ model, input, tools: [flatTool] });
    const call = asked.output.find(item => item.type === 'function_call');
    assert.equal(call.name, 'get_weather');
    assert.equal(typeof JSON.parse(call.arguments).city, 'string');
    const told = await client.responses.create({
      model, tools: [flatTool], input: [...input, ...asked.output, { type: 'function_call_output', call_id: call.call_id, output: 'sunny' }],
    });
    assert.ok(told.output_text.length > 0);
  },

  async 'tools are called in parallel in a streamed response'(model) {
    const stream = client.responses.stream({
      model, input: 'Use tools in parallel', tools: [flatTool, { ...flatTool, name: 'get_time' }], tool_choice: 'required',
    });
    const calls = (await stream.finalResponse()).output.filter(item => item.type === 'function_call');
    assert.deepEqual(calls.map(call => call.name), ['get_weather', 'get_time']);
    assert.equal(new Set(calls.map(call => call.call_id)).size, 2);
    calls.forEach(call => JSON.parse(call.arguments));
  },

  async 'a response answers in a schema'(model) {
    const response = await client.responses.parse({
      model, input: 'A city?', text: { format: { type: 'json_schema', name: 'city', strict: true, schema: weather.schema } },
    });
    assert.equal(typeof response.output_parsed.city, 'string');
  },

  async 'errors are its own classes'(model) {
    const nobody = new OpenAI({ baseURL: `${gateway}/v1`, apiKey: 'sk-nobody', maxRetries: 0 });
    await assert.rejects(nobody.responses.create({ model, input: 'x' }), error => error instanceof OpenAI.AuthenticationError && error.code === 'invalid_api_key');
    await assert.rejects(client.responses.create({ model, input: 'x', background: true }), error => error instanceof OpenAI.BadRequestError && error.param === 'background');
    await assert.rejects(client.responses.retrieve('resp_of_nobody'), error => error instanceof OpenAI.NotFoundError && error.code === 'response_not_found');
  },
});
