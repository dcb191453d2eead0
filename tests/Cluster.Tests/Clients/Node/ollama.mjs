import { Ollama } from 'ollama';
import { assert, forEachModel, gateway, key, weather } from './checks.mjs';

const clientOf = secret => new Ollama({ host: gateway, headers: { Authorization: `Bearer ${secret}` } });
const client = clientOf(key);
const tool = { type: 'function', function: { name: 'get_weather', description: weather.description, parameters: weather.schema } };
const ask = (model, content, more = {}) => ({ model, messages: [{ role: 'user', content }], ...more });
const vectors = model => ['command', 'mistral'].includes(model) ? `${model}-vectors` : 'gpt-4o-vectors';

async function linesOf(stream) {
  const lines = [];
  for await (const line of stream) {
    lines.push(line);
  }

  return lines;
}

await forEachModel({
  async 'a chat answers and streams the same'(model) {
    const whole = await client.chat(ask(model, 'Where does the river end?', { keep_alive: '5m', options: { num_predict: 200, temperature: 0.5 } }));
    assert.deepEqual([whole.model, whole.done_reason], [model, 'stop']);
    assert.ok(whole.message.content.length > 0);
    const lines = await linesOf(await client.chat(ask(model, 'Where does the river end?', { stream: true, options: { num_predict: 200, temperature: 0.5 } })));
    const last = lines.at(-1);
    assert.equal(lines.map(line => line.message.content).join(''), whole.message.content);
    assert.deepEqual([last.done, last.done_reason, last.prompt_eval_count > 0, last.eval_count], [true, 'stop', true, whole.eval_count]);
    assert.ok(last.total_duration > 0 && last.eval_duration >= 0 && !Number.isNaN(Date.parse(last.created_at)));
  },

  async 'a prompt is gone on with and streams the same'(model) {
    const whole = await client.generate({ model, prompt: 'Where does the river end?', system: 'Be terse.' });
    const lines = await linesOf(await client.generate({ model, prompt: 'Where does the river end?', system: 'Be terse.', stream: true }));
    assert.ok(whole.response.length > 0);
    assert.equal(lines.map(line => line.response).join(''), whole.response);
    assert.equal(lines.at(-1).eval_count, whole.eval_count);
  },

  async 'a bound on the output is kept'(model) {
    const cut = await client.chat(ask(model, 'Where does the river end?', { options: { num_predict: 2 } }));
    assert.deepEqual([cut.done_reason, cut.eval_count], ['length', 2]);
  },

  async 'a tool is called and its result comes back'(model) {
    const messages = [{ role: 'user', content: 'How is the weather?' }];
    for (const stream of [false, true]) {
      const asked = await client.chat({ model, messages, tools: [tool], stream });
      const message = stream ? (await linesOf(asked)).map(line => line.message).find(line => line.tool_calls) : asked.message;
      const [call] = message.tool_calls;
      assert.equal(call.function.name, 'get_weather');
      assert.equal(typeof call.function.arguments.city, 'string');
      const told = await client.chat({ model, tools: [tool], messages: [...messages, message, { role: 'tool', tool_name: 'get_weather', content: 'sunny' }] });
      assert.ok(told.message.content.length > 0 && !told.message.tool_calls);
    }
  },

  async 'tools are called in parallel in a stream'(model) {
    const lines = await linesOf(await client.chat(ask(model, 'Use tools in parallel', { stream: true, tools: [tool, { ...tool, function: { ...tool.function, name: 'get_time' } }] })));
    assert.deepEqual(lines.flatMap(line => line.message.tool_calls ?? []).map(call => call.function.name), ['get_weather', 'get_time']);
  },

  async 'an answer holds to a schema'(model) {
    const { message } = await client.chat(ask(model, 'Where?', { format: weather.schema }));
    assert.equal(typeof JSON.parse(message.content).city, 'string');
  },

  async 'texts are embedded'(model) {
    const { embeddings, prompt_eval_count } = await client.embed({ model: vectors(model), input: ['a river', 'the sea'] });
    assert.deepEqual([embeddings.length, embeddings[0].length > 0, prompt_eval_count > 0], [2, true, true]);
    const { embedding } = await client.embeddings({ model: vectors(model), prompt: 'a river' });
    assert.deepEqual(embedding, embeddings[0]);
  },

  async 'models are listed and shown'(model) {
    const { models } = await client.list();
    const listed = models.find(one => one.name === model);
    assert.deepEqual([listed.model, listed.digest.length], [model, 64]);
    assert.ok((await client.show({ model })).capabilities.includes('completion'));
    assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/);
  },

  async 'errors are told in their words'(model) {
    await assert.rejects(clientOf('sk-nobody').chat(ask(model, 'x')), error => error.status_code === 401 && /key is not known/.test(error.message));
    await assert.rejects(client.chat(ask('nobodys', 'x')), error => error.status_code === 403 && /nobodys/.test(error.message));
    await assert.rejects(client.chat(ask('nobodys', 'x', { stream: true })), error => error.status_code === 403);
    await assert.rejects(client.show({ model: 'nobodys' }), error => error.status_code === 404);
    await assert.rejects(client.chat({ model, messages: [] }), error => error.status_code === 400);
  },
});
