// SPDX-License-Identifier: MIT
// Legacy parameters and the expressions that mean the same.
import { describe } from "node:test";
import { areEquivalent } from "./pairs.js";
import { Placeholders } from "./placeholders.js";
import { any, anySet, ATTRIBUTES, consistently, impossible, indexOf, itemOf, keyOf, keysIn, like, list, namesIn, scalar, TABLES, wrongKey } from "./values.js";

const INDEXED = ["g", "n", "t", "b"];
const KEYLESS = [...ATTRIBUTES, "unset"];

/** An S, N or B; often of the attribute's own kind. */
function ordered(c, table, name) {
  for (;;) {
    const value = c.percent(70) ? like(c, table, name) : scalar(c);
    if (value.S ?? value.N ?? value.B) return value;
    if (value.S === undefined && value.N === undefined && value.B === undefined) name = c.oneOf(["g", "n", "t"]);
  }
}

/** Another of the same type. */
function alike(c, table, name, value) {
  const [type] = Object.keys(value);
  for (;;) {
    const other = ordered(c, table, c.percent(70) ? name : "v");
    if (Object.keys(other)[0] === type) return other;
  }
}

const SIGNS = { EQ: "=", NE: "<>", LT: "<", LE: "<=", GT: ">", GE: ">=" };

/** What holds of an attribute: `text(placeholders)` is what its operator and values are in an expression. */
function condition(c, table, name) {
  const of = (ComparisonOperator, values, text) => ({
    name,
    old: { ComparisonOperator, ...(values.length > 0 ? { AttributeValueList: values } : {}) },
    text: (p) => text(p.name(name), values.map((value) => p.value(value)), p),
  });
  const compared = (operator, value) => of(operator, [value], (n, [v]) => `${n} ${SIGNS[operator]} ${v}`);
  return c.made(
    () => compared(c.oneOf(["EQ", "NE"]), c.percent(70) ? like(c, table, name) : any(c)),
    () => compared(c.oneOf(["LT", "LE", "GT", "GE"]), c.percent(97) ? ordered(c, table, name) : c.oneOf([{ BOOL: true }, { L: [] }, { SS: ["a"] }])),
    () => {
      const low = ordered(c, table, name);
      return of("BETWEEN", [low, c.percent(97) ? alike(c, table, name, low) : ordered(c, table, name)], (n, [v, w]) => `${n} BETWEEN ${v} AND ${w}`);
    },
    () => {
      const first = ordered(c, table, name);
      const others = Array.from({ length: c.below(3) }, () => alike(c, table, name, first));
      return of("IN", [first, ...others], (n, all) => `${n} IN (${all.join(", ")})`);
    },
    () => of("NULL", [], (n) => `attribute_not_exists(${n})`),
    () => of("NOT_NULL", [], (n) => `attribute_exists(${n})`),
    () => of("CONTAINS", [ordered(c, table, c.oneOf([name, "t", "n"]))], (n, [v]) => `contains(${n}, ${v})`),
    () => of("NOT_CONTAINS", [ordered(c, table, c.oneOf([name, "t", "n"]))], (n, [v], p) => `attribute_exists(${n}) AND NOT contains(${p.name(name)}, ${v})`),
    () => {
      const value = c.percent(97) ? c.oneOf([{ S: "a" }, { S: "ab" }, { S: "" }, { B: "AA==" }]) : { N: "1" };
      return of("BEGINS_WITH", [value], (n, [v]) => `begins_with(${n}, ${v})`);
    },
  );
}

/** What only Expected can say. */
function expectation(c, table, name) {
  const value = c.percent(70) ? like(c, table, name) : any(c);
  return c.made(
    () => condition(c, table, name),
    () => ({ name, old: { Value: value, ...(c.percent(50) ? { Exists: true } : {}) }, text: (p) => `${p.name(name)} = ${p.value(value)}` }),
    () => ({ name, old: { Exists: false }, text: (p) => `attribute_not_exists(${p.name(name)})` }),
  );
}

const oldOf = (conditions) => Object.fromEntries(conditions.map(({ name, old }) => [name, old]));

/** Under the parameter's old name and its new one. */
function conditions(c, table, names, make, old, young, p) {
  const all = c.some(names, 1 + c.below(3)).map((name) => make(c, table, name));
  const or = all.length > 1 && c.percent(40); // with a single condition there is nothing to join
  return [
    { [old]: oldOf(all), ...(or ? { ConditionalOperator: "OR" } : all.length > 1 && c.percent(20) ? { ConditionalOperator: "AND" } : {}) },
    { [young]: all.map((one) => `(${one.text(p)})`).join(or ? " OR " : " AND ") },
  ];
}

const none = [{}, {}];
const maybe = (c, odds, make) => (c.percent(odds) ? make() : none);
const expected = (c, table, p) =>
  maybe(c, 50, () => {
    const [old, young] = conditions(c, table, [...TABLES[table].keys, ...KEYLESS], expectation, "Expected", "ConditionExpression", p);
    const more = c.percent(40) ? { ReturnValuesOnConditionCheckFailure: "ALL_OLD" } : {};
    return [{ ...old, ...more }, { ...young, ...more }];
  });

/** Two inputs of one call, without the table. */
function both(call, table, shared, old, young, p, next) {
  const make = (own) => (TableName) => [[call, { TableName, ReturnConsumedCapacity: "INDEXES", ...shared, ...own }, next]];
  return { table, left: make(old), right: make({ ...young, ...p.input }) };
}

// ---- single items ------------------------------------------------------------------------------------------

function put(c, table) {
  const p = new Placeholders();
  const [old, young] = expected(c, table, p);
  const Item = itemOf(c, table);
  if (c.percent(2)) Item.v = impossible(c);
  return both("PutItem", table, { Item, ...(c.percent(50) ? { ReturnValues: "ALL_OLD" } : {}) }, old, young, p);
}

function remove(c, table) {
  const p = new Placeholders();
  const [old, young] = expected(c, table, p);
  return both("DeleteItem", table, { Key: keyOf(c, table), ...(c.percent(50) ? { ReturnValues: "ALL_OLD" } : {}) }, old, young, p);
}

/** An entry of AttributeUpdates, and its place in an update expression. */
function action(c, table, name) {
  const value = c.percent(INDEXED.includes(name) ? 97 : 80) ? like(c, table, name) : any(c);
  const set = anySet(c);
  const items = list(c);
  const number = { N: c.oneOf(["1", "-1.5", "0", "1e2"]) };
  const put = () => ({ name, old: { ...(c.percent(50) ? { Action: "PUT" } : {}), Value: value }, clause: "SET", text: (p) => `${p.name(name)} = ${p.value(value)}` });
  if (INDEXED.includes(name) && c.percent(60)) return put();
  return c.made(
    put,
    () => ({ name, old: { Action: "DELETE" }, clause: "REMOVE", text: (p) => p.name(name) }),
    () => ({ name, old: { Action: "DELETE", Value: set }, clause: "DELETE", text: (p) => `${p.name(name)} ${p.value(set)}` }),
    () => ({ name, old: { Action: "ADD", Value: set }, clause: "ADD", text: (p) => `${p.name(name)} ${p.value(set)}` }),
    () => ({ name, old: { Action: "ADD", Value: number }, clause: "ADD", text: (p) => `${p.name(name)} ${p.value(number)}` }),
    () => ({
      name, old: { Action: "ADD", Value: items }, clause: "SET",
      text: (p) => `${p.name(name)} = list_append(if_not_exists(${p.name(name)}, ${p.value({ L: [] })}), ${p.value(items)})`,
    }),
    () => ({ name, old: { Action: "ADD", Value: { BOOL: true } }, clause: "ADD", text: (p) => `${p.name(name)} ${p.value({ BOOL: true })}` }),
  );
}

function update(c, table) {
  const p = new Placeholders();
  const names = c.percent(3) ? TABLES[table].keys : KEYLESS;
  const actions = c.some(names, 1 + c.below(3)).map((name) => action(c, table, name));
  const clauses = ["SET", "REMOVE", "ADD", "DELETE"].map((clause) => [clause, actions.filter((one) => one.clause === clause).map((one) => one.text(p)).join(", ")]);
  const [old, young] = expected(c, table, p);
  const shared = { Key: c.percent(2) ? wrongKey(c, table) : keyOf(c, table), ...(c.percent(70) ? { ReturnValues: c.oneOf(["ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"]) } : {}) };
  return both("UpdateItem", table, shared,
    { AttributeUpdates: oldOf(actions), ...old },
    { UpdateExpression: clauses.filter(([, text]) => text).map((clause) => clause.join(" ")).join(" "), ...young }, p);
}

/** Dots in AttributesToGet are part of a name. */
function projection(c, table, index, p, odds) {
  return maybe(c, odds, () => {
    const names = c.some(namesIn(c, table, index), 1 + c.below(4));
    if (c.percent(3)) names.push(names[0]);
    return [{ AttributesToGet: names }, { ProjectionExpression: names.map((name) => p.name(name)).join(", ") }];
  });
}

function get(c, table) {
  const p = new Placeholders();
  const [old, young] = projection(c, table, undefined, p, 90);
  return both("GetItem", table, { Key: c.percent(3) ? wrongKey(c, table) : keyOf(c, table), ConsistentRead: c.percent(50) }, old, young, p);
}

function getSeveral(c, table) {
  const p = new Placeholders();
  const [old, young] = projection(c, table, undefined, p, 90);
  const Keys = Array.from({ length: 1 + c.below(4) }, () => keyOf(c, table)); // now and then one twice
  const asked = (own) => (name) => [["BatchGetItem", { RequestItems: { [name]: { Keys, ConsistentRead: true, ...own } } }]];
  return { table, left: asked(old), right: asked({ ...young, ...p.input }) };
}

// ---- pages -------------------------------------------------------------------------------------------------

const next = (input, { LastEvaluatedKey }) => LastEvaluatedKey && { ...input, ExclusiveStartKey: LastEvaluatedKey };

function page(c, table, index) {
  return {
    ...(index ? { IndexName: index } : {}),
    ...(c.percent(60) ? { Limit: 1 + c.below(4) } : {}),
    ...(consistently(c, table, index) ? { ConsistentRead: true } : {}),
  };
}

/** A projection, or a word for what is wanted. */
function wanted(c, table, index, p) {
  if (c.percent(70)) return projection(c, table, index, p, 50);
  const Select = c.oneOf(["COUNT", "ALL_ATTRIBUTES", ...(index || c.percent(3) ? ["ALL_PROJECTED_ATTRIBUTES"] : [])]);
  return [{ Select }, { Select }];
}

/** On the partition key, and often on the sort key. */
function keyConditions(c, table, keys, p) {
  const partition = c.percent(98) ? like(c, table, keys[0]) : any(c);
  const parts = [{ name: keys[0], old: { ComparisonOperator: "EQ", AttributeValueList: [partition] }, text: (q) => `${q.name(keys[0])} = ${q.value(partition)}` }];
  for (let found; keys[1] && parts.length < 2 && (found || c.percent(60)); ) {
    found = condition(c, table, keys[1]);
    const { ComparisonOperator, AttributeValueList: [value] = [] } = found.old;
    const fits = value && Object.keys(value)[0] === Object.keys(like(c, table, keys[1]))[0];
    if (["EQ", "LT", "LE", "GT", "GE", "BEGINS_WITH", "BETWEEN"].includes(ComparisonOperator) && (fits || c.percent(3))) parts.push(found);
  }
  return [{ KeyConditions: oldOf(parts) }, { KeyConditionExpression: parts.map((part) => part.text(p)).join(" AND ") }];
}

function query(c, table) {
  const p = new Placeholders();
  const index = indexOf(c, table);
  const keys = keysIn(table, index);
  const [oldKeys, youngKeys] = keyConditions(c, table, keys, p);
  const names = namesIn(c, table, index).filter((name) => !keys.includes(name) || c.percent(3));
  const [oldFilter, youngFilter] = maybe(c, 50, () => names.length === 0 ? none : conditions(c, table, names, condition, "QueryFilter", "FilterExpression", p));
  const [old, young] = wanted(c, table, index, p);
  return both("Query", table, { ...page(c, table, index), ScanIndexForward: c.percent(60) }, { ...oldKeys, ...oldFilter, ...old }, { ...youngKeys, ...youngFilter, ...young }, p, next);
}

function scan(c, table) {
  const p = new Placeholders();
  const index = indexOf(c, table);
  const [oldFilter, youngFilter] = maybe(c, 70, () => conditions(c, table, namesIn(c, table, index), condition, "ScanFilter", "FilterExpression", p));
  const [old, young] = wanted(c, table, index, p);
  const segments = c.percent(15) ? { Segment: c.below(3), TotalSegments: 3 } : {};
  return both("Scan", table, { ...page(c, table, index), ...segments }, { ...oldFilter, ...old }, { ...youngFilter, ...young }, p, next);
}

function operation(c, fills) {
  const table = c.oneOf(["Pairs", "Pairs", "Singles", "Words"]);
  if (fills) return put(c, table);
  return c.oneOf([put, put, put, update, update, update, remove, get, getSeveral, query, query, query, scan])(c, table);
}

// ---- answers -----------------------------------------------------------------------------------------------

/** A reply without what the tables' own names and each spelling's sentences are. */
function answer(call, { refused, said, ...reply }) {
  if (refused) return { refused, item: said.Item };
  if (reply.Responses) return Object.values(reply.Responses);
  const { ConsumedCapacity, ...rest } = reply;
  return { ...rest, ConsumedCapacity: { ...ConsumedCapacity, TableName: undefined } };
}

const FAULTS = {
  "joins by AND whatever it is told": (call, { ConditionalOperator, ...rest }) => ({ ...rest, ...(ConditionalOperator ? { ConditionalOperator: "AND" } : {}) }),
  "adds where it should put": (call, { AttributeUpdates, ...rest }) => {
    if (!AttributeUpdates) return rest;
    const added = ([name, { Action = "PUT", Value }]) => [name, { Action: Action === "PUT" && (Value.N || Value.L) ? "ADD" : Action, Value }];
    return { ...rest, AttributeUpdates: Object.fromEntries(Object.entries(AttributeUpdates).map(added)) };
  },
  "forgets the filter": (call, { QueryFilter, ScanFilter, ConditionalOperator, ...rest }) => (QueryFilter || ScanFilter || !ConditionalOperator ? rest : { ...rest, ConditionalOperator }),
};

describe("legacy parameters and expressions", () => areEquivalent(operation, answer, FAULTS));
