// What all scripts share: two ways to ask, what must hold, and what is reported.
//
// `steady` asks at a fixed rate, whatever the replies do: its TTFB (`http_req_waiting`) is the measured value, for a client
// that waits before it asks again hides what is slow. `full` asks as fast as 16 clients can: its requests a second
// say what there is room for.
//
//   k6 run -e GATEWAY=http://127.0.0.1:8080 bench/k6/gather_10.js

import { check } from "k6";
import execution from "k6/execution";
import http from "k6/http";

export const GATEWAY = __ENV.GATEWAY || "http://127.0.0.1:8080";
export const SECONDS = Number(__ENV.SECONDS || 4);
const WARM_SECONDS = 1;

const HEADERS = {
  Accept: "application/json",
  "Accept-Language": "en-GB,en;q=0.8",
  Authorization: "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZXRwbGFjZSJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
  "Cache-Control": "no-cache",
  "User-Agent": "partner-sync/4.2 (linux; x86_64)",
};

export function options({ rate, p50, p95, more = {} }) {
  const steady = { executor: "constant-arrival-rate", rate, timeUnit: "1s", preAllocatedVUs: 32, maxVUs: 64 };
  const full = { executor: "constant-vus", vus: 16 };
  return {
    scenarios: {
      warm: { ...full, vus: 4, duration: `${WARM_SECONDS}s`, gracefulStop: "0s" },
      steady: { ...steady, startTime: `${WARM_SECONDS}s`, duration: `${SECONDS}s`, gracefulStop: "5s" },
      full: { ...full, startTime: `${WARM_SECONDS + SECONDS}s`, duration: `${SECONDS}s`, gracefulStop: "5s" },
      ...more,
    },
    thresholds: {
      "http_req_waiting{scenario:steady}": [`med<${p50}`, `p(95)<${p95}`],
      "http_req_failed{scenario:steady}": ["rate==0"],
      "checks{scenario:steady}": ["rate==1"],
      "dropped_iterations{scenario:steady}": ["count==0"],
      "http_req_failed{scenario:full}": ["rate==0"],
      "http_reqs{scenario:full}": ["count>0"],
    },
    summaryTrendStats: ["med", "p(95)", "p(99)"],
  };
}

export function ask(path, isRight) {
  const reply = http.get(GATEWAY + path, { headers: HEADERS });
  // At full speed looking into the bodies would slow the asking down.
  if (execution.scenario.name === "steady") check(reply, { right: (each) => each.status === 200 && isRight(each) });
  return reply;
}

export function id(number) {
  return number.toString(16).padStart(32, "0");
}

export function isPage(rows) {
  return (reply) => {
    const page = reply.json();
    return page.length === rows && page.every((row, n) => n === 0 || page[n - 1].name <= row.name);
  };
}

export function handleSummary(data) {
  return __ENV.SUMMARY ? { [__ENV.SUMMARY]: JSON.stringify(data) } : { stdout: JSON.stringify(data.metrics, null, 1) };
}
