// A page of 10 rows out of 10 of each of four shards, by name.
import { ask, isPage, options as all } from "./common.js";
export { handleSummary } from "./common.js";

export const options = all({ rate: 50, p50: 5, p95: 30 });

export default function () {
  ask("/v3/events?order=name&limit=10&made=10", isPage(10));
}
