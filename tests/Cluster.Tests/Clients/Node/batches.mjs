import OpenAI, { toFile } from 'openai';
import { assert, forEachModel, gateway, key } from './checks.mjs';

const client = new OpenAI({ baseURL: `${gateway}/v1`, apiKey: key, maxRetries: 0 });
const bodies = {
  '/v1/chat/completions': model => ({ model, max_tokens: 30, messages: [{ role: 'user', content: 'Where does the river end?' }] }),
  '/v1/responses': model => ({ model, max_output_tokens: 30, input: 'Where does the river end?' }),
};

await forEachModel({
  async 'a file is sent, told, listed, read and deleted'(model) {
    const file = await upload('/v1/chat/completions', model, 2);
    assert.deepEqual([file.object, file.filename, file.purpose], ['file', 'in.jsonl', 'batch']);
    assert.deepEqual(await client.files.retrieve(file.id), file);
    assert.ok((await all(client.files.list({ purpose: 'batch' }))).some(one => one.id === file.id));
    assert.deepEqual((await lines(file.id)).map(line => line.custom_id), ['line-0', 'line-1']);
    assert.deepEqual(await client.files.delete(file.id), { id: file.id, object: 'file', deleted: true });
    await assert.rejects(client.files.retrieve(file.id), OpenAI.NotFoundError);
    await assert.rejects(client.files.content(file.id), OpenAI.NotFoundError);
  },

  async 'a list of files comes in pages'(model) {
    const sent = [await upload('/v1/chat/completions', model, 1), await upload('/v1/chat/completions', model, 1), await upload('/v1/chat/completions', model, 1)];
    const page = await client.files.list({ limit: 2 });
    assert.equal(page.data.length, 2);
    assert.ok(page.hasNextPage());
    const listed = (await all(client.files.list({ limit: 2 }))).map(file => file.id);
    assert.deepEqual(listed.slice(0, 3), sent.map(file => file.id).reverse());
    assert.equal(new Set(listed).size, listed.length);
  },

  async 'a batch of chats has the answers of chats asked one by one'(model) {
    const alone = await client.chat.completions.create(bodies['/v1/chat/completions'](model));
    const [batch, answers] = await run('/v1/chat/completions', model);
    for (const { response, error } of answers) {
      assert.deepEqual([response.status_code, error], [200, null]);
      assert.equal(response.body.choices[0].message.content, alone.choices[0].message.content);
      assert.deepEqual([response.body.usage.prompt_tokens, response.body.usage.completion_tokens], [alone.usage.prompt_tokens, alone.usage.completion_tokens]);
    }

    assert.deepEqual(batch.metadata, { team: 'clients' });
    assert.ok((await all(client.batches.list({ limit: 2 }))).some(one => one.id === batch.id));
  },

  async 'a batch of responses has answers'(model) {
    const [, answers] = await run('/v1/responses', model);
    assert.ok(answers.every(({ response }) => response.status_code === 200 && response.body.object === 'response' && response.body.usage.output_tokens > 0));
  },

  async 'requests that fail are in the file of errors'(model) {
    const batch = await ended(await submit('/v1/chat/completions', model, 3, { 'sample-fail-lines': 'line-1' }));
    assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: 3, completed: 2, failed: 1 }]);
    assert.deepEqual((await lines(batch.output_file_id)).map(line => line.custom_id), ['line-0', 'line-2']);
    const [{ custom_id: customId, response, error }] = await lines(batch.error_file_id);
    assert.deepEqual([customId, response, typeof error.message], ['line-1', null, 'string']);
  },

  async 'a batch that is cancelled keeps what it has'(model) {
    const begun = await submit('/v1/chat/completions', model, 3, { 'sample-hold-after': '1' });
    await until(begun, batch => batch.request_counts.completed === 1);
    assert.match((await client.batches.cancel(begun.id)).status, /^cancel(ling|led)$/);
    const batch = await ended(begun);
    assert.equal(batch.status, 'cancelled');
    assert.deepEqual((await lines(batch.output_file_id)).map(line => line.custom_id), ['line-0']);
    await assert.rejects(client.batches.cancel(batch.id), OpenAI.APIError);
  },

  async 'what is not there or is wrong is the error that the client knows'(model) {
    await assert.rejects(client.batches.retrieve('batch_none'), OpenAI.NotFoundError);
    await assert.rejects(client.files.retrieve('file-none'), OpenAI.NotFoundError);
    await assert.rejects(client.batches.create({ input_file_id: 'file-none', endpoint: '/v1/chat/completions', completion_window: '24h' }), OpenAI.APIError);
    const file = await upload('/v1/chat/completions', model, 1);
    await assert.rejects(client.batches.create({ input_file_id: file.id, endpoint: '/v1/nothing', completion_window: '24h' }), OpenAI.BadRequestError);
  },
});

async function upload(endpoint, model, count) {
  const text = Array.from({ length: count }, (_, index) => `${JSON.stringify({ custom_id: `line-${index}`, method: 'POST', url: endpoint, body: bodies[endpoint](model) })}\n`).join('');
  return client.files.create({ purpose: 'batch', file: await toFile(Buffer.from(text), 'in.jsonl') });
}

async function submit(endpoint, model, count, metadata) {
  const file = await upload(endpoint, model, count);
  const batch = await client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h', metadata });
  assert.deepEqual([batch.object, batch.endpoint, batch.input_file_id], ['batch', endpoint, file.id]);
  return batch;
}

// A batch from its file to its answers.
async function run(endpoint, model) {
  const batch = await ended(await submit(endpoint, model, 2, { team: 'clients' }));
  assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: 2, completed: 2, failed: 0 }]);
  const answers = await lines(batch.output_file_id);
  assert.deepEqual(answers.map(line => line.custom_id), ['line-0', 'line-1']);
  return [batch, answers];
}

function ended(batch) {
  return until(batch, ({ status }) => ['completed', 'failed', 'expired', 'cancelled'].includes(status));
}

// Batches have no event: a client asks until it is so. The check's own time is the end of it.
async function until(batch, holds) {
  while (true) {
    const now = await client.batches.retrieve(batch.id);
    if (holds(now)) {
      return now;
    }

    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function lines(fileId) {
  return (await (await client.files.content(fileId)).text()).split('\n').filter(line => line.length > 0).map(line => JSON.parse(line));
}

async function all(pages) {
  const items = [];
  for await (const item of pages) {
    items.push(item);
  }

  return items;
}
