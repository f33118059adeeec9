// SPDX-License-Identifier: MIT
// PartiQL and the calls that its statements stand for.
import { describe } from "node:test";
import { areEquivalent } from "./pairs.js";
import { Placeholders } from "./placeholders.js";
import { Statement } from "./statement.js";
import { any, anySet, ATTRIBUTES, consistently, impossible, indexOf, itemOf, keyOf, keysIn, like, list, namesIn, scalar, TABLES, wrongKey } from "./values.js";

// What is made here is a function that writes itself: as an expression with Placeholders, or as a part of a Statement. Both
// are written from left to right, as question marks want it.

const INDEXED = ["g", "n", "t", "b"];

/** A path: a name, or what lies below. */
function pathFrom(c, name, whole = 40) {
  const below = name === "m" ? [c.oneOf(["x", "y", "a.b"])] : name === "l" ? [c.below(3)] : name === "v" ? [c.oneOf(["x", 0])] : [];
  if (below.length === 0 || c.percent(whole)) return [name];
  return [name, ...below, ...(c.percent(20) ? [c.oneOf(["x", 0])] : [])];
}

// ---- conditions --------------------------------------------------------------------------------------------

const valueFor = (c, table, steps) => (steps.length === 1 && c.percent(85) ? like(c, table, steps[0]) : scalar(c));
const orderedFor = (c, table, steps) => {
  const value = valueFor(c, table, steps);
  return value.S !== undefined || value.N !== undefined || value.B !== undefined || c.percent(5) ? value : c.oneOf([{ N: "1" }, { S: "b" }]);
};

function comparison(c, table, steps) {
  const sign = c.oneOf(["=", "<>", "<", "<=", ">", ">="]);
  const value = sign === "=" || sign === "<>" ? valueFor(c, table, steps) : orderedFor(c, table, steps);
  if (c.percent(15)) return (p) => `${p.value(value)} ${p.sign(sign)} ${p.path(steps)}`;
  return (p) => `${p.path(steps)} ${p.sign(sign)} ${p.value(value)}`;
}

function simple(c, table, names) {
  const steps = pathFrom(c, c.oneOf(names));
  const is = c.percent(70);
  return c.made(
    () => comparison(c, table, steps),
    () => comparison(c, table, steps),
    () => {
      const other = pathFrom(c, c.oneOf(names));
      const sign = c.oneOf(["=", "<", ">="]);
      return (p) => `${p.path(steps)} ${sign} ${p.path(other)}`;
    },
    () => {
      const [low, high] = [orderedFor(c, table, steps), orderedFor(c, table, steps)];
      return (p) => p.between(steps, low, high, is);
    },
    () => {
      const values = Array.from({ length: 1 + c.below(3) }, () => valueFor(c, table, steps));
      return (p) => p.among(steps, values, is);
    },
    () => (p) => p.missing(steps, is),
    () => (p) => p.isNull(steps, is),
    () => {
      const value = c.percent(96) ? c.oneOf([{ S: "a" }, { S: "" }, { B: "AA==" }]) : { N: "1" };
      return (p) => `begins_with(${p.path(steps)}, ${p.value(value)})`;
    },
    () => {
      const value = scalar(c);
      return (p) => `contains(${p.path(steps)}, ${p.value(value)})`;
    },
    () => {
      const type = { S: c.oneOf(["S", "N", "B", "SS", "NS", "L", "M", "NULL", "BOOL"]) };
      return (p) => `attribute_type(${p.path(steps)}, ${p.value(type)})`;
    },
    () => {
      const [sign, size] = [c.oneOf(["=", "<", ">="]), { N: String(c.below(4)) }];
      return (p) => `size(${p.path(steps)}) ${sign} ${p.value(size)}`;
    },
  );
}

function condition(c, table, names, depth = 2) {
  if (depth === 0 || c.percent(60)) return simple(c, table, names);
  const [one, other] = [condition(c, table, names, depth - 1), condition(c, table, names, depth - 1)];
  if (c.percent(20)) return (p) => `NOT (${one(p)})`;
  const word = c.oneOf(["AND", "OR"]);
  return (p) => `(${one(p)}) ${word} (${other(p)})`;
}

// ---- writes: what they say, and the call they stand for -----------------------------------------------------

const keyless = (c, table) => (c.percent(30) ? condition(c, table, [...ATTRIBUTES, "unset"]) : undefined);

/** The key and the condition, in any order. */
function where(c, key, rest) {
  const parts = [...Object.entries(key).map(([name, value]) => (p) => `${p.path([name])} = ${p.value(value)}`), ...(rest ? [(p) => `(${rest(p)})`] : [])];
  const mixed = c.some(parts, parts.length);
  return (p) => ` WHERE ${mixed.map((part) => part(p)).join(" AND ")}`;
}

function insert(c, table) {
  const Item = c.percent(2) ? { ...itemOf(c, table), ...wrongKey(c, table) } : itemOf(c, table);
  if (c.percent(2)) Item.v = impossible(c);
  const p = new Placeholders();
  const ConditionExpression = `attribute_not_exists(${p.name("p")})`;
  return { text: (name, q) => `INSERT INTO "${name}" VALUE ${q.map(Item)}`, call: "PutItem", input: { Item, ConditionExpression, ...p.input } };
}

function remove(c, table) {
  const Key = c.percent(3) ? wrongKey(c, table) : keyOf(c, table);
  const rest = keyless(c, table);
  const p = new Placeholders();
  const input = rest ? { ConditionExpression: `attribute_not_exists(${p.name("p")}) OR (${rest(p)})` } : {};
  const found = where(c, Key, rest);
  return { text: (name, q) => `DELETE FROM "${name}"${found(q)}`, call: "DeleteItem", input: { Key, ...input, ...p.input }, returns: ["ALL OLD"] };
}

/** What stands behind the = of a SET. */
function assigned(c, table, steps) {
  const value = steps.length === 1 && c.percent(INDEXED.includes(steps[0]) ? 97 : 70) ? like(c, table, steps[0]) : any(c);
  if (INDEXED.includes(steps[0]) && steps[0] !== "n") return (p) => p.value(value);
  const number = { N: c.oneOf(["1", "-1.5", "0.25"]) };
  const other = pathFrom(c, c.oneOf(ATTRIBUTES));
  const items = list(c);
  const own = c.percent(80) ? steps : other;
  const counted = [() => (p) => `${p.path(own)} + ${p.value(number)}`, () => (p) => `${p.path(own)} - ${p.value(number)}`];
  const appended = [() => (p) => `list_append(${p.path(own)}, ${p.value(items)})`, () => (p) => `list_append(${p.value(items)}, ${p.path(own)})`];
  return c.made(
    () => (p) => p.value(value),
    () => (p) => p.value(value),
    ...(c.percent(30) ? [() => (p) => p.path(other)] : []),
    ...(steps[0] === "n" || c.percent(10) ? counted : []),
    ...(steps[0] === "l" || c.percent(10) ? appended : []),
  );
}

function action(c, table, name) {
  const steps = pathFrom(c, name, 75);
  const usual = like(c, table, name);
  const set = usual.SS || usual.NS || usual.BS ? usual : anySet(c);
  const sets = (clause, call) => ({ clause, text: (p) => `${p.path(steps)} ${p.value(set)}`, said: (q) => `SET ${q.path(steps)} = ${call}(${q.path(steps)}, ${q.value(set)})` });
  const value = assigned(c, table, steps);
  const assignment = () => ({ clause: "SET", text: (p) => `${p.path(steps)} = ${value(p)}`, said: (q) => `SET ${q.path(steps)} = ${value(q)}` });
  const removal = () => ({ clause: "REMOVE", text: (p) => p.path(steps), said: (q) => `REMOVE ${q.path(steps)}` });
  if (["ss", "ns", "bs"].includes(name) || c.percent(3)) return c.made(() => sets("ADD", "set_add"), () => sets("DELETE", "set_delete"), assignment);
  return c.made(assignment, assignment, assignment, removal);
}

const RETURNS = { "ALL OLD": "ALL_OLD", "ALL NEW": "ALL_NEW", "MODIFIED OLD": "UPDATED_OLD", "MODIFIED NEW": "UPDATED_NEW" };

function update(c, table) {
  const Key = c.percent(2) ? wrongKey(c, table) : keyOf(c, table);
  const names = c.percent(2) ? TABLES[table].keys : [...ATTRIBUTES, "unset"];
  const actions = c.some(names, 1 + c.below(3)).map((name) => action(c, table, name));
  if (c.percent(4)) actions.push(action(c, table, c.oneOf(["m", "l"])));
  const rest = keyless(c, table);
  const p = new Placeholders();
  const clauses = ["SET", "REMOVE", "ADD", "DELETE"].map((clause) => [clause, actions.filter((one) => one.clause === clause).map((one) => one.text(p)).join(", ")]);
  const input = {
    UpdateExpression: clauses.filter(([, text]) => text).map((clause) => clause.join(" ")).join(" "),
    ConditionExpression: `attribute_exists(${p.name("p")})${rest ? ` AND (${rest(p)})` : ""}`,
  };
  const found = where(c, Key, rest);
  return {
    text: (name, q) => `UPDATE "${name}" ${actions.map((one) => one.said(q)).join(" ")}${found(q)}`,
    call: "UpdateItem", input: { Key, ...input, ...p.input }, returns: Object.keys(RETURNS),
  };
}

const write = (c, table) => c.oneOf([insert, insert, update, update, update, update, update, remove])(c, table);

/** A statement whose table's name is left open: `text(name, statement)` is asked but once, for it makes choices. */
function later(c, text) {
  const open = "\u0001";
  const q = new Statement(c);
  const written = text(open, q);
  return (name) => ({ Statement: written.replaceAll(open, name), ...q.input });
}

function single(c, table, make = write) {
  const { text, call, input, returns } = make(c, table);
  const returning = returns && c.percent(60) ? c.oneOf(returns) : undefined;
  const shared = { ReturnConsumedCapacity: "TOTAL", ...(call !== "PutItem" && c.percent(30) ? { ReturnValuesOnConditionCheckFailure: "ALL_OLD" } : {}) };
  const made = later(c, (name, q) => `${text(name, q)}${returning ? ` RETURNING ${returning} *` : ""}`);
  return {
    table: c.percent(1) ? "Nowhere" : table,
    left: (name) => [["ExecuteStatement", { ...made(name), ...shared }]],
    right: (TableName) => [[call, { TableName, ...input, ...shared, ...(returning ? { ReturnValues: RETURNS[returning] } : {}) }]],
  };
}

function batch(c, table) {
  const all = Array.from({ length: 1 + c.below(4) }, () => write(c, table));
  const statements = all.map(({ text }) => later(c, text));
  return {
    table, regardless: true, settle: (answers) => answers.flat(),
    left: (name) => [["BatchExecuteStatement", { Statements: statements.map((made) => made(name)) }]],
    right: (TableName) => all.map(({ call, input }) => [call, { TableName, ...input }]),
  };
}

function transaction(c, table) {
  const all = Array.from({ length: 1 + c.below(3) }, () => write(c, table));
  const statements = all.map(({ text }) => later(c, text));
  const entry = { PutItem: "Put", UpdateItem: "Update", DeleteItem: "Delete" };
  return {
    table,
    left: (name) => [["ExecuteTransaction", { TransactStatements: statements.map((made) => made(name)) }]],
    right: (TableName) => [["TransactWriteItems", { TransactItems: all.map(({ call, input }) => ({ [entry[call]]: { TableName, ...input } })) }]],
  };
}

// ---- SELECT ------------------------------------------------------------------------------------------------

const byKey = (input, { LastEvaluatedKey }) => LastEvaluatedKey && { ...input, ExclusiveStartKey: LastEvaluatedKey };
const byToken = (input, { NextToken }) => NextToken && { ...input, NextToken };

/** The sort key's part of a WHERE. */
function range(c, table, name) {
  const fitting = () => (c.percent(97) ? like(c, table, name) : scalar(c));
  const [one, other] = [fitting(), fitting()];
  const sign = c.oneOf(["=", "<", "<=", ">", ">="]);
  return c.made(
    () => (p) => `${p.path([name])} ${sign} ${p.value(one)}`,
    () => (p) => `${p.path([name])} ${sign} ${p.value(one)}`,
    () => (p) => `${p.path([name])} BETWEEN ${p.value(one)} AND ${p.value(other)}`,
    ...(one.S !== undefined || one.B !== undefined ? [() => (p) => `begins_with(${p.path([name])}, ${p.value(one)})`] : []),
  );
}

function select(c, table) {
  const index = indexOf(c, table);
  const keys = keysIn(table, index);
  const names = namesIn(c, table, index);
  const paths = c.percent(40) ? c.some(names, 1 + c.below(3)).map((name) => pathFrom(c, name)) : [];
  if (paths.length > 0 && c.percent(4)) paths.push(paths[0]);
  const queries = c.percent(65);
  const filtered = names.filter((name) => !keys.includes(name));
  const filter = filtered.length > 0 && c.percent(50) ? condition(c, table, queries ? filtered : names.filter((name) => name !== keys[0])) : undefined;
  const partition = c.percent(98) ? like(c, table, keys[0]) : scalar(c);
  const sort = queries && keys[1] && c.percent(60) ? range(c, table, keys[1]) : undefined;
  const order = queries && c.percent(40) ? c.oneOf(["", " ASC", " DESC"]) : undefined;
  const shared = { ReturnConsumedCapacity: "TOTAL", ...(c.percent(60) ? { Limit: 1 + c.below(4) } : {}), ...(consistently(c, table, index) ? { ConsistentRead: true } : {}) };
  const key = (p) => [`${p.path([keys[0]])} = ${p.value(partition)}`, ...(sort ? [sort(p)] : [])].join(" AND ");
  const made = later(c, (name, q) => {
    const wanted = paths.length > 0 ? paths.map((steps) => q.path(steps)).join(", ") : "*";
    const parts = [...(queries ? [key(q)] : []), ...(filter ? [`(${filter(q)})`] : [])].join(" AND ");
    return `SELECT ${wanted} FROM "${name}"${index ? `."${index}"` : ""}${parts ? ` WHERE ${parts}` : ""}${order === undefined ? "" : ` ORDER BY ${q.path([keys[1] ?? keys[0]])}${order}`}`;
  });
  const p = new Placeholders();
  const input = {
    ...(index ? { IndexName: index } : {}),
    ...(queries ? { KeyConditionExpression: key(p), ScanIndexForward: order !== " DESC" } : {}),
    ...(filter ? { FilterExpression: filter(p) } : {}),
    ...(paths.length > 0 ? { ProjectionExpression: paths.map((steps) => p.path(steps)).join(", ") } : {}),
    ...shared, ...p.input,
  };
  return {
    table: c.percent(1) ? "Nowhere" : table,
    left: (name) => [["ExecuteStatement", { ...made(name), ...shared }, byToken]],
    right: (TableName) => [[queries ? "Query" : "Scan", { TableName, ...input }, byKey]],
  };
}

/** Several values of the partition key are several queries, however long the pages. */
function selectOfSeveral(c, table) {
  const [name] = TABLES[table].keys;
  const values = c.some([...new Set(Array.from({ length: 3 }, () => JSON.stringify(like(c, table, name))))].map((text) => JSON.parse(text)), 3)
    .filter((one, at, all) => one.N === undefined || all.findIndex((other) => Number(other.N) === Number(one.N)) === at);
  const listed = c.percent(50);
  const page = c.percent(60) ? { Limit: 1 + c.below(4) } : {};
  const made = later(c, (open, q) => {
    const either = listed ? q.among([name], values) : values.map((value) => `${q.path([name])} = ${q.value(value)}`).join(" OR ");
    return `SELECT * FROM "${open}" WHERE ${either}`;
  });
  return {
    table, settle: (answers) => answers.flatMap(({ items, refused }) => refused ?? items),
    left: (TableName) => [["ExecuteStatement", { ...made(TableName), ...page }, byToken]],
    right: (TableName) => values.map((value) => {
      const p = new Placeholders();
      return ["Query", { TableName, KeyConditionExpression: `${p.name(name)} = ${p.value(value)}`, ...p.input }, byKey];
    }),
  };
}

function operation(c, fills) {
  const table = c.oneOf(["Pairs", "Pairs", "Singles", "Words"]);
  if (fills) return single(c, table, insert);
  return c.oneOf([single, single, single, single, single, single, select, select, select, select, selectOfSeveral, batch, transaction])(c, table);
}

// ---- answers -----------------------------------------------------------------------------------------------

const REFUSED = { DuplicateItemException: "ConditionalCheckFailedException", DuplicateItem: "ConditionalCheckFailedException", ValidationError: "ValidationException" };
const named = (code) => REFUSED[code] ?? (code.endsWith("Exception") ? code : `${code}Exception`);

/** What both say of an answer. */
function answer(call, reply) {
  if (reply.refused) return { refused: named(reply.refused), item: reply.said.Item, reasons: reply.said.CancellationReasons?.map(({ Code }) => Code) };
  if (call === "BatchExecuteStatement") return reply.Responses.map(({ Error, Item }) => (Error ? { refused: named(Error.Code) } : { items: Item ? [Item] : [], more: false }));
  return {
    items: reply.Items ?? (reply.Attributes ? [reply.Attributes] : []),
    more: (reply.NextToken ?? reply.LastEvaluatedKey) !== undefined,
    last: reply.LastEvaluatedKey,
    units: reply.ConsumedCapacity?.CapacityUnits,
  };
}

const rewritten = (change) => (call, input) => (input.Statement ? { ...input, Statement: change(input.Statement) } : input);
const FAULTS = {
  "takes <= for <": rewritten((text) => text.replace(" <= ", " < ")),
  "forgets DESC": rewritten((text) => text.replace(/ DESC$/, "")),
  "forgets where a page began": (call, { NextToken, ...rest }) => rest,
};

describe("PartiQL and other calls", () => areEquivalent(operation, answer, FAULTS));
