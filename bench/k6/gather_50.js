// A page of 50 rows out of 50 of each of four shards, by name.
import { ask, isPage, options as all } from "./common.js";
export { handleSummary } from "./common.js";

export const options = all({ rate: 50, p50: 10, p95: 40 });

export default function () {
  ask("/v3/events?order=name&limit=50&made=50", isPage(50));
}
