// One document, of 50 KB, from the shard that has it.
import { ask, id, options as all } from "./common.js";
export { handleSummary } from "./common.js";

export const options = all({ rate: 100, p50: 3, p95: 25 });

export default function () {
  ask(`/v3/documents/${id(__ITER + 1)}`, (reply) => reply.body.length > 51000);
}
