// Checks replies against the types of the official clients, which are made of the providers' published descriptions, and those of OpenAI's surfaces against what its
// published description says, which knows whole numbers and bounds where a type of TypeScript has a number. Reads a line of JSON for each reply from standard input
// ({ label, type, value }) and writes "wrong LABEL (TYPE, client or description): what" for each that does not fit, then "checked N". What the description says of our
// replies stands in openai-replies.yaml; GATEWAY_TEST_OPENAPI may name the whole of another version (YAML or JSON), which is asked instead.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2020.js';
import { createGenerator } from 'ts-json-schema-generator';
import { parse } from 'yaml';

// The type of each kind of reply in the clients, and its name in OpenAI's description.
const kinds = {
  chat: ['OpenAI.Chat.Completions.ChatCompletion', 'CreateChatCompletionResponse'],
  chat_chunk: ['OpenAI.Chat.Completions.ChatCompletionChunk', 'CreateChatCompletionStreamResponse'],
  completion: ['OpenAI.Completions.Completion', 'CreateCompletionResponse'],
  // The client has no type for it: until its end a choice has no reason to end.
  completion_chunk: ["Omit<OpenAI.Completions.Completion, 'choices'> & { choices: (Omit<OpenAI.CompletionChoice, 'finish_reason'> & { finish_reason: OpenAI.CompletionChoice['finish_reason'] | null })[] }", 'CreateCompletionResponse'],
  embeddings: ['OpenAI.Embeddings.CreateEmbeddingResponse', 'CreateEmbeddingResponse'],
  moderation: ['OpenAI.Moderations.ModerationCreateResponse', 'CreateModerationResponse'],
  images: ['OpenAI.Images.ImagesResponse', 'ImagesResponse'],
  model: ['OpenAI.Models.Model', 'Model'],
  models: ["{ object: 'list'; data: OpenAI.Models.Model[] }", 'ListModelsResponse'],
  openai_error: ['{ error: OpenAI.ErrorObject }', 'ErrorResponse'],
  response: ['OpenAI.Responses.Response', 'Response'],
  response_event: ['OpenAI.Responses.ResponseStreamEvent', 'ResponseStreamEvent'],
  message: ['Anthropic.Message'],
  message_event: ['Anthropic.RawMessageStreamEvent'],
  message_tokens: ['Anthropic.MessageTokensCount'],
  anthropic_error: ['Anthropic.ErrorResponse'],
  ollama_chat: ['Ollama.ChatResponse'],
  ollama_line: ["Pick<Ollama.ChatResponse, 'model' | 'created_at' | 'message' | 'done'>"],
  // A context is what Ollama's own servers remember.
  ollama_generated: ["Omit<Ollama.GenerateResponse, 'context'>"],
  ollama_embeddings: ['Ollama.EmbedResponse'],
  ollama_error: ['Ollama.ErrorResponse'],
  cohere_chat: ['V2ChatResponse.Raw'],
  cohere_event: ['V2ChatStreamResponse.Raw'],
  cohere_embeddings: ['EmbedByTypeResponse.Raw'],
  cohere_error: ['{ message: string }'],
  rerank: ['RerankResponse.Raw'],
  // The client makes a class of what comes, with members of its own: here is what comes. Only a piece may be without a candidate.
  gemini: ["Required<Pick<Gemini.GenerateContentResponse, 'candidates' | 'modelVersion' | 'responseId' | 'usageMetadata'>>"],
  gemini_piece: ["Required<Pick<Gemini.GenerateContentResponse, 'modelVersion' | 'responseId'>> & Pick<Gemini.GenerateContentResponse, 'candidates' | 'usageMetadata'>"],
  gemini_tokens: ["Required<Pick<Gemini.CountTokensResponse, 'totalTokens'>>"],
  gemini_embedding: ["{ embedding: Required<Pick<Gemini.ContentEmbedding, 'values'>> }"],
  gemini_embeddings: ["{ embeddings: Required<Pick<Gemini.ContentEmbedding, 'values'>>[] }"],
  gemini_model: ["Omit<Gemini.Model, 'name'> & { name: string }"],
  gemini_models: ["{ models: (Omit<Gemini.Model, 'name'> & { name: string })[] }"],
  gemini_error: ['{ error: { code: number; message: string; status: string } }'],
  transcription: ['OpenAI.Audio.Transcription', 'CreateTranscriptionResponseJson'],
  transcription_verbose: ['OpenAI.Audio.TranscriptionVerbose', 'CreateTranscriptionResponseVerboseJson'],
  transcription_event: ['OpenAI.Audio.TranscriptionStreamEvent', 'CreateTranscriptionResponseStreamEvent'],
  translation: ['OpenAI.Audio.Translation', 'CreateTranslationResponseJson'],
  translation_verbose: ['OpenAI.Audio.TranslationVerbose', 'CreateTranslationResponseVerboseJson'],
  file: ['OpenAI.Files.FileObject', 'OpenAIFile'],
  files: ["{ object: 'list'; data: OpenAI.Files.FileObject[]; has_more: boolean }", 'ListFilesResponse'],
  file_deleted: ['OpenAI.Files.FileDeleted', 'DeleteFileResponse'],
  // The client's types do not know the null that stands where a batch has no file yet.
  batch: [null, 'Batch'],
  batches: [null, 'ListBatchesResponse'],
};

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
const asked = readFileSync(0, 'utf8').split('\n').filter(line => line.length > 0).map(line => JSON.parse(line));
const used = new Set(asked.map(reply => reply.type));
const schemas = fromClients();
const described = fromDescription(process.env.GATEWAY_TEST_OPENAPI ? withoutNullable(parse(readFileSync(process.env.GATEWAY_TEST_OPENAPI, 'utf8'), { maxAliasCount: -1 }).components).schemas : facts());

for (const { label, type, value } of asked) {
  for (const [source, found] of [['client', schemas[type]], ['description', described[type]]]) {
    if (found && !found(value)) {
      const errors = found.errors.filter(error => error.keyword !== 'if').map(error => `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`);
      console.log(`wrong ${label} (${type}, ${source}): ${errors.slice(0, 6).join('; ')}`);
    }
  }
}

console.log(`checked ${asked.length}, ${asked.filter(({ type }) => described[type]).length} of them against the published description too`);

// A schema for each kind, made of the clients' own types. The file lies among the scripts: there the clients are found.
function fromClients() {
  const typed = [...used].filter(kind => kinds[kind][0]);
  const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), '.types-'));
  try {
    const path = join(folder, 'replies.ts');
    writeFileSync(path, ["import type OpenAI from 'openai';", "import type Anthropic from '@anthropic-ai/sdk';",
      "import type * as Ollama from 'ollama';", "import type * as Gemini from '@google/genai';", "import type { EmbedByTypeResponse, RerankResponse, V2ChatResponse, V2ChatStreamResponse } from '../node_modules/cohere-ai/serialization';",
      ...typed.map(kind => `export type ${kind} = ${kinds[kind][0]};`)].join('\n'));
    const generator = createGenerator({ path, skipTypeCheck: true, additionalProperties: true, jsDoc: 'none' });
    return Object.fromEntries(typed.map(kind => {
      const { definitions } = generator.createSchema(kind);
      // What OpenAI's client puts together itself, and what Anthropic leaves out of a text that cites nothing: other clients refuse a null there.
      for (const [type, member] of [['Response', 'output_text'], ['TextBlock', 'citations']]) {
        if (definitions[type]) {
          definitions[type].required = definitions[type].required.filter(name => name !== member);
        }
      }

      ajv.addSchema({ $id: kind, definitions: byType(definitions, name => definitions[decodeURIComponent(name.slice('#/definitions/'.length))]) });
      return [kind, ajv.compile({ $ref: `${kind}#/definitions/${kind}` })];
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// The facts as JSON Schema. A name that is not there is a mistake of ours.
function facts() {
  const said = parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'openai-replies.yaml'), 'utf8'));
  const missing = Object.values(kinds).map(([, name]) => name).find(name => name && !(name in said));
  if (missing) {
    throw new Error(`openai-replies.yaml says nothing of ${missing}.`);
  }

  return Object.fromEntries(Object.entries(said).map(([name, type]) => [name, schemaOf(type)]));

  function schemaOf(type) {
    if (typeof type === 'string') {
      const several = type.split(' | ');
      const words = several.filter(one => one.startsWith('=')).map(one => one.slice(1));
      const all = [...(words.length > 0 ? [{ type: 'string', enum: words }] : []), ...several.filter(one => !one.startsWith('=')).map(single)];
      return all.length === 1 ? all[0] : { anyOf: all };
    }

    const names = Object.keys(type);
    return { type: 'object', required: names.filter(name => !name.endsWith('?')), properties: Object.fromEntries(names.map(name => [name.replace(/\?$/, ''), schemaOf(type[name])])) };
  }

  function single(type) {
    const [, plain, from, to] = /^(string|integer|number|boolean|object|null)(?: (\d+)\.\.(\d+))?$/.exec(type) ?? [];
    if (plain) {
      return { type: plain, ...(to && { minimum: Number(from), maximum: Number(to) }) };
    }

    if (!(type in said) && !/\[\]$|^map |^any$/.test(type)) {
      throw new Error(`openai-replies.yaml names ${type} and does not say what it is.`);
    }

    return type.endsWith('[]') ? { type: 'array', items: single(type.slice(0, -2)) }
      : type.startsWith('map ') ? { type: 'object', additionalProperties: single(type.slice(4)) }
      : type === 'any' ? {}
      : { $ref: `#/components/schemas/${type}` };
  }
}

function fromDescription(schemas) {
  ajv.addSchema({ $id: 'description', components: { schemas: byType(schemas, name => schemas[name.slice('#/components/schemas/'.length)]) } });
  return Object.fromEntries([...used].filter(kind => kinds[kind][1] in schemas).map(kind => [kind, ajv.compile({ $ref: `description#/components/schemas/${kinds[kind][1]}` })]));
}

// What OpenAPI 3.0 says as nullable, JSON Schema says as one type more.
function withoutNullable(node) {
  if (node === null || typeof node !== 'object') {
    return node;
  }

  if (Array.isArray(node)) {
    return node.map(withoutNullable);
  }

  const { nullable, ...rest } = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, withoutNullable(value)]));
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest;
}

// A union whose members are told apart by their type asks that member alone: the errors of all others would hide its own.
function byType(node, resolve) {
  if (node === null || typeof node !== 'object') {
    return node;
  }

  if (Array.isArray(node)) {
    return node.map(item => byType(item, resolve));
  }

  const members = flat(node.anyOf ?? node.oneOf ?? [], resolve);
  const objects = members.filter(member => member.type !== 'null').map(member => [typesOf(member, resolve), member]);
  const types = objects.flatMap(([own]) => own);
  if (objects.length < 2 || objects.some(([own]) => own.length === 0) || new Set(types).size < types.length) {
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, byType(value, resolve)]));
  }

  const one = {
    type: 'object', required: ['type'], properties: { type: { enum: types } },
    allOf: objects.map(([own, member]) => ({ if: { properties: { type: { enum: own } } }, then: byType(member, resolve) })),
  };
  return objects.length < members.length ? { anyOf: [{ type: 'null' }, one] } : one;
}

function flat(members, resolve) {
  return members.flatMap(member => {
    const inner = member.$ref ? resolve(member.$ref) : member;
    return inner?.anyOf ?? inner?.oneOf ? flat(inner.anyOf ?? inner.oneOf, resolve) : [member];
  });
}

function typesOf(member, resolve) {
  const type = (member.$ref ? resolve(member.$ref) : member)?.properties?.type;
  return type?.const !== undefined ? [type.const] : type?.enum ?? [];
}
