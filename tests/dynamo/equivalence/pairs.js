// SPDX-License-Identifier: MIT
// One operation in two spellings, each on tables of its own: equal answers, and equal tables in the end.
//
//     operation   { table, left(name), right(name), settle }: each spelling's calls on the table of that name, one after
//                 the other as long as they are accepted (`regardless`: all of them). A call is [name, input, next],
//                 where next(input, reply) is what the page after it is asked with. settle(answers), where there is
//                 one, makes of the answers of several calls what one call says.
//
// Operations come in rounds, each with a seed and tables of its own, so that one that is answered differently can be
// told with as few before it as it takes.
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { post } from "../lib/check.js";
import { startServer } from "../lib/server.js";
import { chanceOf } from "./chance.js";
import { TABLES } from "./values.js";

const ROUND = 100;
const SHRINKING_MS = 20_000;
const PAGES_MAX = 40;
const FAULT_ROUNDS_MAX = 50;

const OPERATIONS = Number(process.env.PL_OPERATIONS ?? 800);
const SEED = Number(process.env.PL_SEED ?? Math.floor(Date.now() / 1000));

const sorted = (value) =>
  Array.isArray(value) ? value.map(sorted)
  : value && typeof value === "object" ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]))
  : value;
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The operations of a round. The first ones fill its tables. */
function roundOf(make, seed, count) {
  const c = chanceOf(seed);
  return Array.from({ length: count }, (_, at) => make(c, at < ROUND / 5));
}

/** Asks both spellings; `answer(call, reply)` is what a reply says, in terms that both have. */
class World {
  #server;
  #tables = 0;
  asked = 0;
  accepted = 0;
  fault = (call, input) => input; // what becomes of the left spelling's requests

  constructor(answer) {
    this.answer = answer;
  }
  async open() {
    this.#server = await startServer();
  }
  close() {
    return this.#server.stop();
  }
  async #post(call, input) {
    const { status, json } = await post(this.#server.endpoint, `DynamoDB_20120810.${call}`, JSON.stringify(input));
    return status === 200 ? json : { refused: json.__type.replace(/.*#/, ""), said: json };
  }
  async #ask(calls, { settle = (answers) => answers, regardless }, fault = (call, input) => input) {
    const answers = [];
    for (const [call, input, next] of calls) {
      let page = input;
      for (let pages = 0; page && pages < PAGES_MAX; pages++) {
        const reply = await this.#post(call, fault(call, page));
        if (reply.refused === "InternalServerError") throw new Error(`${call} ${JSON.stringify(page)}: ${JSON.stringify(reply.said)}`);
        this.asked++;
        this.accepted += !reply.refused;
        answers.push(sorted(this.answer(call, reply)));
        if (reply.refused && !regardless) return settle(answers);
        page = next?.(page, reply);
      }
    }
    return settle(answers);
  }
  async #contents(table, name) {
    const scans = [{ TableName: name, ConsistentRead: true }, ...Object.keys(TABLES[table].indexes).map((IndexName) => ({ TableName: name, IndexName }))];
    const replies = [];
    for (const input of scans) replies.push(sorted((await this.#post("Scan", input)).Items));
    return replies;
  }

  /** What differs, and where, when `operations` are asked of fresh tables; undefined: nothing. */
  async difference(operations) {
    const number = ++this.#tables;
    const names = Object.keys(TABLES).flatMap((table) => ["left", "right"].map((side) => [table, side, `${table}.${side}.${number}`]));
    const nameOf = Object.fromEntries(names.map(([table, side, name]) => [`${table} ${side}`, name]));
    for (const [table, , TableName] of names) {
      const made = await this.#post("CreateTable", { TableName, BillingMode: "PAY_PER_REQUEST", ...TABLES[table].input });
      assert.equal(made.refused, undefined, JSON.stringify(made));
    }
    try {
      return await this.#differenceIn(operations, (table, side) => nameOf[`${table} ${side}`] ?? table);
    } finally {
      for (const [, , TableName] of names) await this.#post("DeleteTable", { TableName });
    }
  }
  async #differenceIn(operations, nameOf) {
    for (const [at, operation] of operations.entries()) {
      const [left, right] = [operation.left(nameOf(operation.table, "left")), operation.right(nameOf(operation.table, "right"))];
      const answers = [await this.#ask(left, operation, this.fault), await this.#ask(right, operation)];
      if (!same(...answers)) return { at, requests: [left, right], answers };
    }
    for (const table of Object.keys(TABLES)) {
      const contents = [await this.#contents(table, nameOf(table, "left")), await this.#contents(table, nameOf(table, "right"))];
      if (!same(...contents)) return { at: operations.length - 1, requests: [[], []], answers: contents, table };
    }
    return undefined;
  }
}

/** As few operations as it takes: halves are left out, then quarters, and so on down to single ones. */
async function shrink(world, operations, found) {
  const end = Date.now() + SHRINKING_MS;
  let [list, difference] = [operations.slice(0, found.at + 1), found];
  for (let size = list.length >> 1; size >= 1; size >>= 1)
    for (let at = 0; at < list.length && Date.now() < end; ) {
      const fewer = [...list.slice(0, at), ...list.slice(at + size)];
      const still = fewer.length > 0 ? await world.difference(fewer) : undefined;
      if (still) [list, difference] = [fewer.slice(0, still.at + 1), still];
      else at += size;
    }
  return [list, difference];
}

function report(seed, count, list, { requests, answers, table }) {
  const show = (calls) => calls.map(([call, input]) => `   ${call} ${JSON.stringify(input)}`.slice(0, 3000));
  const lines = [`repeat it with PL_SEED=${seed} PL_OPERATIONS=${count}; after shrinking, ${list.length} operations:`];
  for (const one of list) lines.push("-", ...show(one.left(one.table)), ...show(one.right(one.table)));
  if (table) lines.push(`then the tables ${table} differ`);
  else lines.push("the last of them, asked and answered:");
  for (const side of [0, 1]) lines.push(...show(requests[side]), `   ── ${JSON.stringify(answers[side])}`.slice(0, 5000));
  return lines.join("\n");
}

/**
 * Tests that ask random operations of `make(chance, shall it fill?)`, and say with which seed; and that what differs is
 * found out: `faults` are by name what a server might make of a request (call, input) in the left spelling.
 */
export function areEquivalent(make, answer, faults) {
  const world = new World(answer);
  before(() => world.open());
  after(() => world.close());
  it(`are answered alike, and leave alike tables (PL_SEED=${SEED})`, async () => {
    for (let done = 0, seed = SEED; done < OPERATIONS; done += ROUND, seed++) {
      const count = Math.min(ROUND, OPERATIONS - done);
      const operations = roundOf(make, seed, count);
      const found = await world.difference(operations);
      if (found) assert.fail(report(seed, count, ...(await shrink(world, operations, found))));
    }
    assert.ok(world.accepted > world.asked / 2, `only ${world.accepted} of ${world.asked} requests were accepted`);
  });  /** The first round that is answered differently for the fault. */
  const findOut = async (fault) => {
    world.fault = fault;
    for (let seed = SEED; seed < SEED + FAULT_ROUNDS_MAX; seed++) {
      const operations = roundOf(make, seed, ROUND);
      const found = await world.difference(operations);
      if (found) return [operations, found];
    }
    return assert.fail("not found out");
  };
  for (const [what, fault] of Object.entries(faults))
    it(`are told apart when one of them ${what} (PL_SEED=${SEED})`, () => findOut(fault));
  it(`are told apart by as few operations as it takes (PL_SEED=${SEED})`, async () => {
    const [list] = await shrink(world, ...(await findOut(Object.values(faults)[0])));
    assert.ok(list.length <= 5, `${list.length} operations are left`);
  });
}
