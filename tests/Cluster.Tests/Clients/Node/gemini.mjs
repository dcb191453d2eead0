import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { assert, forEachModel, gateway, key, weather } from './checks.mjs';

const clientOf = apiKey => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway } });
// It asks for version v1 unless it is told another.
const client = clientOf(key);
const beta = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: gateway, apiVersion: 'v1beta' } });
const question = 'Where does the river end?';
const declaration = { name: 'get_weather', description: weather.description, parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] } };
const tools = [{ functionDeclarations: [declaration] }];
const vectors = model => ['command', 'mistral'].includes(model) ? `${model}-vectors` : 'gpt-4o-vectors';
const picture = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==' } };

async function piecesOf(stream) {
  const pieces = [];
  for await (const piece of stream) {
    pieces.push(piece);
  }

  return pieces;
}

const isRefused = (status, name, code) => error => {
  assert.ok(error instanceof ApiError, String(error));
  const told = JSON.parse(error.message).error;
  assert.deepEqual([error.status, told.code, told.status, told.details[0].metadata.code], [status, status, name, code]);
  return true;
};

await forEachModel({
  async 'an answer and its stream are the same'(model) {
    const config = { maxOutputTokens: 200, temperature: 0.5, systemInstruction: 'Be terse.' };
    const whole = await client.models.generateContent({ model, contents: question, config });
    assert.deepEqual([whole.modelVersion, whole.candidates[0].finishReason, whole.candidates[0].content.role], [model, 'STOP', 'model']);
    assert.ok(whole.text.length > 0 && whole.responseId.length > 0);
    const pieces = await piecesOf(await client.models.generateContentStream({ model, contents: question, config }));
    const last = pieces.at(-1);
    assert.equal(pieces.map(piece => piece.text ?? '').join(''), whole.text);
    assert.ok(pieces.length > 2);
    assert.deepEqual([last.candidates[0].finishReason, last.usageMetadata.candidatesTokenCount], ['STOP', whole.usageMetadata.candidatesTokenCount]);
    assert.equal(whole.usageMetadata.totalTokenCount, whole.usageMetadata.promptTokenCount + whole.usageMetadata.candidatesTokenCount);
  },

  async 'a bound on the output is kept'(model) {
    const { candidates, usageMetadata } = await client.models.generateContent({ model, contents: question, config: { maxOutputTokens: 2 } });
    assert.deepEqual([candidates[0].finishReason, usageMetadata.candidatesTokenCount], ['MAX_TOKENS', 2]);
  },

  async 'a conversation goes on'(model) {
    const chat = client.chats.create({ model });
    assert.ok((await chat.sendMessage({ message: 'Hello!' })).text.length > 0);
    assert.ok((await piecesOf(await chat.sendMessageStream({ message: question }))).length > 1);
    assert.ok((await chat.sendMessage({ message: 'And then?' })).text.length > 0);
    const history = chat.getHistory(true);
    assert.deepEqual([history[0].role, history[1].role, history.at(-1).role], ['user', 'model', 'model']);
  },

  async 'a function is called and its result comes back'(model) {
    const contents = [{ role: 'user', parts: [{ text: 'How is the weather?' }] }];
    const streamed = await piecesOf(await client.models.generateContentStream({ model, contents, config: { tools } }));
    for (const asked of [await client.models.generateContent({ model, contents, config: { tools } }), streamed.find(piece => piece.functionCalls)]) {
      const [call] = asked.functionCalls;
      assert.equal(call.name, 'get_weather');
      assert.equal(typeof call.args.city, 'string');
      for (const id of [call.id, undefined]) {
        const told = await client.models.generateContent({
          model, config: { tools },
          contents: [...contents, asked.candidates[0].content, { role: 'user', parts: [{ functionResponse: { id, name: call.name, response: { output: 'sunny' } } }] }],
        });
        assert.ok(told.text.length > 0 && !told.functionCalls);
      }
    }
  },

  async 'functions are called in parallel in a stream, where any must be'(model) {
    const pieces = await piecesOf(await client.models.generateContentStream({
      model, contents: 'Use tools in parallel',
      config: {
        tools: [{ functionDeclarations: [declaration, { name: 'get_time', parametersJsonSchema: weather.schema }, { name: 'never' }] }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_weather', 'get_time'] } },
      },
    }));
    assert.deepEqual(pieces.flatMap(piece => piece.functionCalls ?? []).map(call => call.name), ['get_weather', 'get_time']);
  },

  async 'an answer holds to a schema of either kind'(model) {
    for (const schema of [{ responseSchema: declaration.parameters }, { responseJsonSchema: weather.schema }]) {
      const { text } = await client.models.generateContent({ model, contents: 'Where?', config: { responseMimeType: 'application/json', ...schema } });
      assert.equal(typeof JSON.parse(text).city, 'string');
    }
  },

  async 'a picture is seen'(model) {
    const { text } = await beta.models.generateContent({ model, contents: [picture, 'What is it?'] });
    assert.ok(text.length > 0);
  },

  async 'tokens are counted'(model) {
    const few = (await client.models.countTokens({ model, contents: question })).totalTokens;
    const more = (await client.models.countTokens({ model, contents: [picture, `${question} ${question}`] })).totalTokens;
    assert.ok(few > 3 && more > few && more < 3 * few, `${few}, ${more}`);
  },

  async 'texts are embedded'(model) {
    const { embeddings } = await client.models.embedContent({ model: vectors(model), contents: ['a river', 'the sea'] });
    assert.deepEqual([embeddings.length, embeddings[0].values.length > 0], [2, true]);
    assert.notDeepEqual(embeddings[0].values, embeddings[1].values);
  },

  async 'models are listed and found'(model) {
    const names = [];
    for await (const one of await client.models.list()) {
      names.push(one.name);
    }

    assert.ok(names.includes(`models/${model}`) && !names.includes('models/nobodys'));
    const found = await client.models.get({ model });
    assert.deepEqual(await beta.models.get({ model }), found);
    assert.deepEqual([found.name, found.supportedActions.includes('generateContent')], [`models/${model}`, true]);
  },

  async 'errors are its own class, with the status and the message'(model) {
    await assert.rejects(clientOf('sk-nobody').models.generateContent({ model, contents: 'x' }), isRefused(401, 'UNAUTHENTICATED', 'invalid_api_key'));
    await assert.rejects(client.models.generateContent({ model: 'nobodys', contents: 'x' }), isRefused(403, 'PERMISSION_DENIED', 'model_access_denied'));
    await assert.rejects(client.models.generateContentStream({ model: 'nobodys', contents: 'x' }), isRefused(403, 'PERMISSION_DENIED', 'model_access_denied'));
    await assert.rejects(client.models.embedContent({ model: 'nobodys', contents: 'x' }), isRefused(403, 'PERMISSION_DENIED', 'model_access_denied'));
    await assert.rejects(client.models.countTokens({ model: 'nobodys', contents: 'x' }), isRefused(404, 'NOT_FOUND', 'model_not_found'));
    await assert.rejects(beta.models.get({ model: 'nobodys' }), isRefused(404, 'NOT_FOUND', 'model_not_found'));
    await assert.rejects(client.models.generateContent({ model, contents: 'x', config: { cachedContent: 'cachedContents/a' } }), isRefused(400, 'INVALID_ARGUMENT', 'invalid_request'));
    if (process.env.GATEWAY_POOR_KEY) {
      await assert.rejects(clientOf(process.env.GATEWAY_POOR_KEY).models.generateContent({ model, contents: 'x' }), isRefused(429, 'RESOURCE_EXHAUSTED', 'budget_exceeded'));
    }
  },
});
