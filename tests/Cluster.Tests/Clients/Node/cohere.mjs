import { CohereClient, CohereClientV2, CohereError } from 'cohere-ai';
import { assert, forEachModel, gateway, key } from './checks.mjs';

const asked = model => ({ model, query: 'north?', documents: ['a river', 'the pole'], topN: 1 });
const once = { maxRetries: 0 };

await forEachModel({
  async 'documents are put in order'(model) {
    const { id, results } = await new CohereClientV2({ token: key, baseUrl: gateway }).rerank(asked(model), once);
    assert.ok(id.length > 0);
    assert.equal(results[0].index, 1);
    assert.ok(results[0].relevanceScore > 0);
  },

  async 'the older client gets its documents back'(model) {
    const { results } = await new CohereClient({ token: key, baseUrl: gateway }).rerank({ ...asked(model), returnDocuments: true }, once);
    assert.equal(results[0].document.text, 'the pole');
  },

  async 'errors are its own class, with the status and the message'(model) {
    await assert.rejects(
      new CohereClientV2({ token: 'sk-nobody', baseUrl: gateway }).rerank(asked(model), once),
      error => error instanceof CohereError && error.statusCode === 401 && /key is not known/.test(error.body.message));
  },
});
