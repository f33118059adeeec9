// node fill.mjs URL KEYS PAGES: makes the tables of the HTTP bench and fills them: KEYS items of 256 bytes, and PAGES
// partition keys with a hundred items of 256 bytes each. Sends several batches at a time.
const [url, keys, pages] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const value = "v".repeat(256);

async function call(operation, input) {
  const reply = await fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.0",
      "X-Amz-Target": `DynamoDB_20120810.${operation}`,
      "X-Amz-Date": "20150830T123600Z",
      Authorization: "AWS4-HMAC-SHA256 Credential=bench/20150830/us-east-1/dynamodb/aws4_request, " +
        `SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
    },
    body: JSON.stringify(input),
  });
  const output = await reply.json();
  if (!reply.ok) throw new Error(`${operation}: ${JSON.stringify(output)}`);
  return output;
}

async function makeTable(TableName, ...names) {
  await call("CreateTable", {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: names.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: names.map(([AttributeName], i) => ({ AttributeName, KeyType: i === 0 ? "HASH" : "RANGE" })),
  });
  while ((await call("DescribeTable", { TableName })).Table.TableStatus !== "ACTIVE")
    await new Promise((resolve) => setTimeout(resolve, 20));
}

function* batches(TableName, items) {
  let batch = [];
  for (const Item of items) {
    batch.push({ PutRequest: { Item } });
    if (batch.length === 25) {
      yield { RequestItems: { [TableName]: batch } };
      batch = [];
    }
  }
  if (batch.length > 0) yield { RequestItems: { [TableName]: batch } };
}

// Eight senders take from one sequence.
async function fill(TableName, items) {
  const sequence = batches(TableName, items);
  const sender = async () => {
    for (const batch of sequence) await call("BatchWriteItem", batch);
  };
  await Promise.all(Array.from({ length: 8 }, sender));
}

function* singles() {
  for (let i = 1; i <= keys; i++) yield { K: { S: `key#${i}` }, V: { S: value } };
}

function* ranges() {
  for (let i = 1; i <= pages; i++)
    for (let s = 0; s < 100; s++) yield { P: { S: `key#${i}` }, S: { N: String(s) }, V: { S: value } };
}

await makeTable("Bench", ["K", "S"]);
await makeTable("BenchRange", ["P", "S"], ["S", "N"]);
await fill("Bench", singles());
await fill("BenchRange", ranges());
