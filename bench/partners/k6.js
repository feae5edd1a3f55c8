// The load of the partners, sent by k6: the definition is the same that generator.py reads.
//
// `make partners` runs it where k6 is on the PATH, and judges the samples that it writes. By hand:
//
//   k6 run -e URL=https://staging.example.com -e TOKEN=… -e POOL=pool.json -e FACTOR=1 -e SECONDS=60 bench/partners/k6.js
//
// Journeys begin at their rate whatever the replies do (constant-arrival-rate). A journey for which there was no free
// virtual user is a dropped iteration, and fails the run: its requests would have been the slowest.

import { sleep } from "k6";
import execution from "k6/execution";
import http from "k6/http";
import { Rate, Trend } from "k6/metrics";

const FILES = ["expedia", "getyourguide", "google", "viator"];
const SCENARIOS = FILES.map((name) => JSON.parse(open(`./scenarios/${name}.json`)));
const FACTOR = Number(__ENV.FACTOR || 1);
const SECONDS = Number(__ENV.SECONDS || 60);
const POOL = JSON.parse(open(__ENV.POOL));
const UNIT_S = 1000; // rates are whole numbers: so many in a thousand seconds
const TIMEOUT_S = 60;

const took = new Trend("partner_took", true);
const failures = new Rate("partner_failed");

const journeys = {};
const scenarios = {};
const thresholds = { dropped_iterations: ["count==0"] };
for (const scenario of SCENARIOS) {
  for (const [capability, limits] of Object.entries(scenario.capabilities)) {
    const of = `{partner:${scenario.partner},capability:${capability}}`;
    const times = [["p90_ms", "p(90)"], ["p95_ms", "p(95)"], ["p99_ms", "p(99)"], ["max_ms", "max"]];
    thresholds[`partner_took${of}`] = times.filter(([name]) => name in limits).map(([name, q]) => `${q}<=${limits[name]}`);
    thresholds[`partner_failed${of}`] = [`rate<=${limits.errors_percent / 100}`];
  }
  for (const journey of scenario.journeys) {
    const name = `${scenario.partner} ${journey.name}`.replace(/[^A-Za-z0-9]+/g, "_");
    journeys[name] = { partner: scenario.partner, steps: journey.steps };
    const thinks = journey.steps.reduce((sum, step) => sum + 1.5 * (step.think_s || 0), 0);
    const perSecond = journey.per_s * FACTOR;
    scenarios[name] = {
      executor: "constant-arrival-rate",
      exec: "travel",
      rate: Math.max(1, Math.round(perSecond * UNIT_S)),
      timeUnit: `${UNIT_S}s`,
      duration: `${SECONDS}s`,
      gracefulStop: `${TIMEOUT_S}s`,
      preAllocatedVUs: Math.ceil(perSecond * (thinks + 1)) + 2,
      maxVUs: Math.ceil(perSecond * (thinks + 20)) + 20,
    };
  }
}

export const options = { scenarios, thresholds, discardResponseBodies: true, summaryTrendStats: ["p(90)", "p(95)", "p(99)", "max"] };

export function travel() {
  const journey = journeys[execution.scenario.name];
  const values = drawn();
  for (const [number, step] of journey.steps.entries()) {
    if (number > 0) sleep((step.think_s || 0) * (0.5 + Math.random()));
    const body = step.body === undefined ? null : filled(JSON.stringify(step.body), values);
    const reply = http.request(step.method, __ENV.URL + filled(step.target, values), body, {
      headers: { Accept: "application/json", "Content-Type": "application/json", Authorization: `Bearer ${__ENV.TOKEN}` },
      timeout: `${TIMEOUT_S}s`,
      tags: { name: step.capability },
    });
    const expected = (step.expect || [200, 201]).includes(reply.status);
    const t = reply.timings;
    const tags = { partner: journey.partner, capability: step.capability, answered: String(reply.status), expected: String(expected) };
    took.add(t.blocked + t.connecting + t.tls_handshaking + t.duration, tags);
    failures.add(!expected, tags);
    if (!expected) return;
  }
}

export function drawn() {
  const picked = [];
  for (let n = 0; n < 10; n += 1) picked.push(POOL.dates[Math.floor(Math.random() * POOL.dates.length)]);
  return { picked, uuid: uuid(), reference: POOL.reference, offset: String(Math.floor(Math.random() * (POOL.offsets_max + 1))) };
}

export function filled(text, values) {
  return text.replace(/\{([a-z0-9.+]+)\}/g, (_, hole) => {
    const [place, name] = hole.split(".");
    const value = name === undefined ? values[place] : values.picked[Number(place)][name];
    if (value === undefined) throw new Error(`no value for {${hole}}`);
    return value;
  });
}

function uuid() {
  return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => Math.floor(Math.random() * 16).toString(16));
}
