// Talks to the simulator's control API (/sim/api/). Throws an Error with the simulator's own words when it refuses.

export async function call(method, path, body) {
  const response = await fetch(`/sim/api${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export const get = (path) => call("GET", path);
export const post = (path, body = {}) => call("POST", path, body);
