// One of four shards answers 200 ms late. Lists wait for it; events of the other shards must not.
//
// `waiting` keeps 24 lists under way all the time. Beside them `steady` and `full` ask for events of the other shards.
// Which these are is found out first: whoever answers at once.
import { ask, GATEWAY, id, isPage, options as all, SECONDS } from "./common.js";
import http from "k6/http";
export { handleSummary } from "./common.js";

const LATE_MS = 200;
const waiting = { executor: "constant-vus", vus: 24, duration: `${1 + 2 * SECONDS}s`, exec: "list", gracefulStop: "5s" };

export const options = all({ rate: 100, p50: 3, p95: 30, more: { waiting } });

export function setup() {
  const ids = Array.from({ length: 24 }, (_, number) => id(number + 1));
  const prompt = ids.filter((each) => http.get(`${GATEWAY}/v3/events/${each}`).timings.waiting < LATE_MS / 2);
  if (prompt.length === 0) throw new Error("every event waits for the slow shard");
  return prompt;
}

export function list() {
  ask("/v3/events?order=name&limit=10&made=10", isPage(10));
}

export default function (prompt) {
  ask(`/v3/events/${prompt[__ITER % prompt.length]}`, (reply) => reply.body.length > 1000);
}
