// What the two scripts share: calls that are counted and compared.
import assert from "node:assert/strict";

let calls = 0;

/** Awaits a call and compares what `pick` takes of its answer. */
export async function gives(name, promise, expected, pick = (answer) => answer) {
  calls += 1;
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    throw new Error(`${name}: ${error.code ?? ""} ${error.message}`, { cause: error });
  }
  assert.deepEqual(pick(answer), expected, name);
  return answer;
}

/** Awaits a refusal: "404 GAIA_RE01", and the keys of its `errors` where they are given. */
export async function refused(name, promise, expected, keys) {
  calls += 1;
  const error = await promise.then(
    (answer) => assert.fail(`${name} was answered: ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.equal(`${error.status} ${error.code}`, expected, `${name}: ${error.message}`);
  if (keys) assert.deepEqual(Object.keys(error.errors ?? {}), keys, name);
  return error;
}

/** How many calls were compared. */
export const count = () => calls;
