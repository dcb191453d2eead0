// What the scripts share: where the gateway is, which models stand behind it, and how a check is reported.
import assert from 'node:assert/strict';

export { assert };
export const gateway = process.env.GATEWAY_URL;
export const key = process.env.GATEWAY_KEY;
export const models = process.env.GATEWAY_MODELS.split(',');
export const weather = {
  description: 'The weather somewhere',
  schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
};

// One line for each check: a test reads them. A check that hangs is a failure and not a wait.
export async function check(name, action) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('took longer than 20 s')), 20_000); });
  try {
    await Promise.race([action(), late]);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`failed ${name}: ${String(error?.stack ?? error).replaceAll('\n', ' | ').slice(0, 900)}`);
  } finally {
    clearTimeout(timer);
  }
}

export async function forEachModel(checks) {
  for (const model of models) {
    for (const [name, action] of Object.entries(checks)) {
      await check(`${name} (${model})`, () => action(model));
    }
  }

  // Clients keep connections open: the process must not wait for them.
  console.log('done');
  process.exit(0);
}
