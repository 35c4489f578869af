// An event of the gateway -> AWS's emulator, with the authorizer in it -> the answer, or the error of a failed invocation.

const asked = (emulator) => async (event) => {
  const answer = await (await fetch(emulator, { method: "POST", body: JSON.stringify(event) })).json()
  console.log(`answer ${JSON.stringify(answer)}`)
  if (answer.errorMessage) throw new Error(answer.errorMessage)
  return answer
}

exports.simple = asked(process.env.SIMPLE)
exports.iam = asked(process.env.IAM)

// What stands behind the authorizer shows what it hands on.
exports.example = async ({ requestContext: { authorizer } }) => ({
  statusCode: 200,
  body: JSON.stringify(authorizer.lambda ?? authorizer),
})
