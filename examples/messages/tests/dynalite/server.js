// A stand-in for DynamoDB, in memory, with the table of template.yaml. It prints its address when it is ready.
const server = require('dynalite')({ createTableMs: 0 });

const NAME = { TableName: 'messages' };
const TABLE = {
  ...NAME,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'owner_id', AttributeType: 'S' }, { AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'owner_id', KeyType: 'HASH' }, { AttributeName: 'id', KeyType: 'RANGE' }],
};

server.listen(0, '127.0.0.1', async () => {
  await call('CreateTable', TABLE);
  while ((await call('DescribeTable', NAME)).Table.TableStatus !== 'ACTIVE');
  console.log(address());
});

const address = () => `http://127.0.0.1:${server.address().port}`;

async function call(action, body) {
  const answer = await fetch(address(), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-amz-json-1.0',
      'X-Amz-Target': `DynamoDB_20120810.${action}`,
      'X-Amz-Date': '20261101T000000Z',
      // It wants the form, and verifies nothing.
      Authorization: 'AWS4-HMAC-SHA256 Credential=key/20261101/here/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${action}: ${await answer.text()}`);
  return answer.json();
}
