// Reads a Singer stream of tickets and gives it to RudderStack's HubSpot destination as a reverse-ETL source does (identify, mappedToDestination,
// externalId): routerTransform of 100 events -> batch/upsert requests -> proxy delivery and the v1 response handler, which says each job's status.
// rudder-server (Go) is not part of it: one router batch after the other, or RUDDER_CONCURRENCY at once.
import readline from 'readline'
import { processRouterDest } from 'R/v0/destinations/hs/transform'
import { networkHandler } from 'R/v1/destinations/hs/networkHandler'

const KEY = 'salesforce_case_id', SIZE = 100, AT_ONCE = Number(process.env.RUDDER_CONCURRENCY ?? '1')
const destination: any = { ID: 'bench', Config: { authorizationType: 'newPrivateAppApi', accessToken: 'sandbox-token', hubID: '1', apiKey: '', apiVersion: 'newApi', lookupField: KEY, hubspotEvents: [], doAssociation: false } }
const handler: any = new (networkHandler as any)()
let sent = 0, retried = 0, job = 0
async function send(records: any[]): Promise<void> {
  const inputs = records.map((traits) => ({
    message: { type: 'identify', userId: traits[KEY], channel: 'sources', context: { mappedToDestination: 'true', externalId: [{ id: traits[KEY], type: 'HS-tickets', identifierType: KEY }], sources: {} }, traits: { ...traits } },
    destination, metadata: { jobId: ++job, userId: traits[KEY], destinationId: 'bench', workspaceId: 'bench' }
  }))
  const outputs: any[] = await processRouterDest(inputs as any, {})
  for (const one of outputs) {
    if (!one.batchedRequest) {
      if (one.statusCode === 429 && retried++ < 1000) { await new Promise((done) => setTimeout(done, 1000)); return send(records) }
      throw new Error(`transform: ${one.statusCode} ${one.error}`)
    }
    for (;;) {
      const request = { ...one.batchedRequest, metadata: one.metadata, destinationConfig: one.destination.Config }
      const answer = handler.processAxiosResponse(await handler.proxy(request, 'hs'))
      if (answer.status === 429 && retried++ < 1000) { await new Promise((done) => setTimeout(done, 1000)); continue }
      const told = await handler.responseHandler({ destinationResponse: answer, rudderJobMetadata: one.metadata, destType: 'hs', destinationRequest: request })
      const bad = told.response.find((r: any) => r.statusCode >= 300)
      if (bad) throw new Error(`delivery: ${JSON.stringify(bad).slice(0, 1500)}`)
      sent += told.response.length
      break
    }
  }
}
async function main() {
  const waiting = new Set<Promise<void>>()
  let records: any[] = [], state = ''
  const flush = async () => {
    const batch = records
    records = []
    const one: Promise<void> = send(batch).then(() => { waiting.delete(one) })
    waiting.add(one)
    if (waiting.size >= AT_ONCE) await Promise.race(waiting)
  }
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const message = JSON.parse(line)
    if (message.type === 'STATE') state = JSON.stringify(message.value)
    if (message.type !== 'RECORD') continue
    records.push(message.record)
    if (records.length === SIZE) await flush()
  }
  if (records.length) await flush()
  await Promise.all(waiting)
  if (state) console.log(state)
  console.error(`sent ${sent}, retried ${retried}`)
  process.exit(0)
}
main().catch((error) => { console.error(error); process.exit(1) })
