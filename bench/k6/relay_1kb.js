// One event, of 1 KB, from the shard that has it.
import { ask, id, options as all } from "./common.js";
export { handleSummary } from "./common.js";

export const options = all({ rate: 200, p50: 2, p95: 20 });

export default function () {
  ask(`/v3/events/${id(__ITER + 1)}`, (reply) => reply.body.length > 1000);
}
