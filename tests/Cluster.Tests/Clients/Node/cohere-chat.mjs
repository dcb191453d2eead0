import { CohereClientV2, CohereError } from 'cohere-ai';
import { assert, forEachModel, gateway, key, weather } from './checks.mjs';

const client = new CohereClientV2({ token: key, baseUrl: gateway });
const once = { maxRetries: 0 };
const tool = { type: 'function', function: { name: 'get_weather', description: weather.description, parameters: weather.schema } };
const ask = (model, content, more = {}) => ({ model, messages: [{ role: 'user', content }], ...more });
const vectors = model => ['command', 'mistral'].includes(model) ? `${model}-vectors` : 'gpt-4o-vectors';
const textOf = content => content.map(part => part.text ?? '').join('');

// What a client puts together of a stream: the message, why it ended, what it used.
async function joined(stream) {
  const message = { role: 'assistant', content: [], toolCalls: [], toolPlan: '' };
  const types = [];
  let end;
  for await (const { type, index, delta } of stream) {
    types.push(type);
    const said = delta?.message;
    if (type === 'content-start') {
      message.content[index] = { ...said.content };
    } else if (type === 'content-delta') {
      for (const name of ['text', 'thinking'].filter(name => said.content[name])) {
        message.content[index][name] = (message.content[index][name] ?? '') + said.content[name];
      }
    } else if (type === 'tool-plan-delta') {
      message.toolPlan += said.toolPlan;
    } else if (type === 'tool-call-start') {
      message.toolCalls[index] = said.toolCalls;
    } else if (type === 'tool-call-delta') {
      message.toolCalls[index].function.arguments += said.toolCalls.function.arguments;
    } else if (type === 'message-end') {
      end = delta;
    }
  }

  return { message, types, ...end };
}

await forEachModel({
  async 'a chat answers and streams the same'(model) {
    const whole = await client.chat(ask(model, 'Where does the river end?', { maxTokens: 200, p: 0.9, safetyMode: 'CONTEXTUAL' }), once);
    assert.equal(whole.finishReason, 'COMPLETE');
    assert.ok(whole.id.length > 0 && textOf(whole.message.content).length > 0);
    const streamed = await joined(await client.chatStream(ask(model, 'Where does the river end?', { maxTokens: 200 }), once));
    assert.equal(textOf(streamed.message.content), textOf(whole.message.content));
    assert.equal(streamed.finishReason, 'COMPLETE');
    assert.deepEqual([streamed.types[0], streamed.types[1], streamed.types.at(-2), streamed.types.at(-1)], ['message-start', 'content-start', 'content-end', 'message-end']);
    assert.ok(whole.usage.billedUnits.inputTokens > 0);
    assert.equal(streamed.usage.billedUnits.outputTokens, whole.usage.billedUnits.outputTokens);
  },

  async 'a bound on the output is kept'(model) {
    const cut = await client.chat(ask(model, 'Where does the river end?', { maxTokens: 2 }), once);
    assert.deepEqual([cut.finishReason, cut.usage.tokens.outputTokens], ['MAX_TOKENS', 2]);
  },

  async 'a tool is called and its result comes back'(model) {
    const messages = [{ role: 'user', content: 'How is the weather?' }];
    for (const asked of [await client.chat({ model, messages, tools: [tool] }, once), await joined(await client.chatStream({ model, messages, tools: [tool] }, once))]) {
      assert.equal(asked.finishReason, 'TOOL_CALL');
      const [call] = asked.message.toolCalls;
      assert.equal(call.function.name, 'get_weather');
      assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
      const told = await client.chat({
        model, tools: [tool],
        messages: [
          ...messages, { role: 'assistant', toolCalls: asked.message.toolCalls, toolPlan: asked.message.toolPlan },
          { role: 'tool', toolCallId: call.id, content: [{ type: 'document', document: { data: { weather: 'sunny' } } }] },
        ],
      }, once);
      assert.equal(told.finishReason, 'COMPLETE');
    }
  },

  async 'tools are called in parallel in a stream'(model) {
    const { message } = await joined(await client.chatStream(
      ask(model, 'Use tools in parallel', { tools: [tool, { ...tool, function: { ...tool.function, name: 'get_time' } }], toolChoice: 'REQUIRED' }), once));
    assert.deepEqual(message.toolCalls.map(call => call.function.name), ['get_weather', 'get_time']);
    assert.ok(message.toolCalls.every(call => typeof JSON.parse(call.function.arguments) === 'object'));
  },

  async 'documents are read and an answer holds to a schema'(model) {
    const { message } = await client.chat(ask(model, 'Where?', { documents: [{ data: { title: 'Rivers' } }], responseFormat: { type: 'json_object', jsonSchema: weather.schema } }), once);
    assert.equal(typeof JSON.parse(textOf(message.content)).city, 'string');
  },

  async 'texts are embedded'(model) {
    const asked = { model: vectors(model), inputType: 'search_document', embeddingTypes: ['float', 'base64'] };
    const { embeddings, meta } = await client.embed({ ...asked, texts: ['a river', 'the sea'] }, once);
    assert.deepEqual([embeddings.float.length, embeddings.base64.length, meta.billedUnits.inputTokens > 0], [2, 2, true]);
    const bytes = Buffer.from(embeddings.base64[0], 'base64');
    assert.equal(bytes.length, embeddings.float[0].length * 4);
    assert.ok(Math.abs(bytes.readFloatLE(0) - embeddings.float[0][0]) < 1e-6);
    if (vectors(model) !== 'command-vectors') {
      await assert.rejects(
        client.embed({ ...asked, texts: ['a river'], embeddingTypes: ['int8'] }, once), error => error instanceof CohereError && error.statusCode === 400 && /embedding_types/.test(error.body.message));
    }
  },

  async 'errors are its own class, with the status and the message'(model) {
    await assert.rejects(
      new CohereClientV2({ token: 'sk-nobody', baseUrl: gateway }).chat(ask(model, 'x'), once),
      error => error instanceof CohereError && error.statusCode === 401 && /key is not known/.test(error.body.message));
    await assert.rejects(client.chat(ask('nobodys', 'x'), once), error => error instanceof CohereError && error.statusCode === 403 && /nobodys/.test(error.body.message));
    await assert.rejects(client.chatStream(ask('nobodys', 'x'), once), error => error instanceof CohereError && error.statusCode === 403);
    await assert.rejects(client.embed({ model: 'nobodys', texts: ['x'], inputType: 'search_query' }, once), error => error instanceof CohereError && error.statusCode === 403);
  },
});
