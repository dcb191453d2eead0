import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import { assert, forEachModel, gateway, key, weather } from './checks.mjs';

const checks = {};
for (const useResponses of [true, false]) {
  const surface = useResponses ? 'responses' : 'chat';
  const runner = new Runner({ modelProvider: new OpenAIProvider({ apiKey: key, baseURL: `${gateway}/v1`, useResponses }), tracingDisabled: true });
  const agent = (model, asked) => new Agent({
    name: 'Forecaster', model, instructions: 'Answer with the weather.',
    tools: [tool({ name: 'get_weather', description: weather.description, parameters: weather.schema, strict: false, execute: async ({ city }) => { asked.push(city); return 'sunny'; } })],
  });

  checks[`${surface}: an agent uses its tool and answers`] = async model => {
    const asked = [];
    const result = await runner.run(agent(model, asked), 'How is the weather?');
    assert.equal(asked.length, 1);
    assert.ok(result.finalOutput.length > 0);
  };

  checks[`${surface}: an agent does so streamed`] = async model => {
    const asked = [];
    const result = await runner.run(agent(model, asked), 'How is the weather?', { stream: true });
    let text = '';
    for await (const piece of result.toTextStream()) {
      text += piece;
    }

    await result.completed;
    assert.equal(asked.length, 1);
    assert.equal(text, result.finalOutput);
  };
}

await forEachModel(checks);
