import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { assert, forEachModel, gateway, key, weather } from './checks.mjs';

const checks = {};
for (const useResponsesApi of [false, true]) {
  const surface = useResponsesApi ? 'responses' : 'chat';
  const make = model => new ChatOpenAI({ model, apiKey: key, useResponsesApi, maxRetries: 0, configuration: { baseURL: `${gateway}/v1` } });

  checks[`${surface}: an answer and its stream are the same`] = async model => {
    const whole = await make(model).invoke('Where does the river end?');
    let text = '';
    for await (const chunk of await make(model).stream('Where does the river end?')) {
      text += chunk.text;
    }

    assert.ok(text.length > 0);
    assert.equal(text, whole.text);
    assert.ok(whole.usage_metadata.output_tokens > 0);
  };

  checks[`${surface}: a tool is called and its result comes back`] = async model => {
    const bound = make(model).bindTools([{ type: 'function', function: { name: 'get_weather', description: weather.description, parameters: weather.schema } }]);
    const question = new HumanMessage('How is the weather?');
    const asked = await bound.invoke([question]);
    assert.equal(asked.tool_calls[0].name, 'get_weather');
    assert.equal(typeof asked.tool_calls[0].args.city, 'string');
    const told = await bound.invoke([question, asked, new ToolMessage({ content: 'sunny', tool_call_id: asked.tool_calls[0].id })]);
    assert.ok(told.text.length > 0);
  };
}

await forEachModel(checks);
