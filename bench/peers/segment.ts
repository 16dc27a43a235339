// Reads a Singer stream of tickets and gives it to Segment's HubSpot destination, action upsertObject, in batches of 100 (its batch_size):
// Destination.onBatch -> mapping -> validation -> performBatch, as its workers call it. One batch after the other, or SEGMENT_CONCURRENCY at once.
import readline from 'readline'
import { Destination } from '@segment/actions-core'
import definition from 'HUBSPOT/index'

const KEY = 'salesforce_case_id', SIZE = 100, AT_ONCE = Number(process.env.SEGMENT_CONCURRENCY ?? '1')
const destination = new Destination(definition as any)
const mapping = {
  __segment_internal_sync_mode: 'upsert',
  object_details: { object_type: 'ticket', id_field_name: KEY, id_field_value: { '@path': `$.properties.${KEY}` }, property_group: 'ticketinformation' },
  properties: { '@path': '$.properties' },
  association_sync_mode: 'upsert', enable_batching: true, batch_size: SIZE, timestamp: { '@path': '$.timestamp' }
}
const settings = {
  subscriptions: [{ ID: 'bench', name: 'tickets', enabled: true, partnerAction: 'upsertObject', subscribe: 'type = "track"', mapping }],
  subscription: { ID: 'bench', name: 'tickets', enabled: true, partnerAction: 'upsertObject', subscribe: 'type = "track"', mapping },
  oauth: { access_token: 'sandbox-token', refresh_token: 'sandbox-refresh' }
}
let sent = 0, retried = 0
async function send(events: any[]) {
  for (let turn = 0; ; turn++) {
    let status = 0, told = ''
    try {
      const [result] = (await destination.onBatch(events, settings as any)) as any[]
      const bad = (result.multistatus ?? [{ status: 500, errormessage: JSON.stringify(result) }]).find((one: any) => one.status >= 300)
      if (!bad) { sent += events.length; return }
      status = bad.status; told = bad.errormessage
    } catch (error: any) {
      status = error?.response?.status ?? error?.status ?? 0; told = `${error?.message} ${JSON.stringify(error?.response?.data ?? '')}`
    }
    if ((status !== 429 && status < 500) || turn > 20) throw new Error(`${status} ${told}`)
    retried++
    await new Promise((done) => setTimeout(done, 1000))
  }
}
async function main() {
  const waiting = new Set<Promise<void>>()
  let events: any[] = [], state = ''
  const flush = async () => {
    const batch = events
    events = []
    const one: Promise<void> = send(batch).then(() => { waiting.delete(one) })
    waiting.add(one)
    if (waiting.size >= AT_ONCE) await Promise.race(waiting)
  }
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const message = JSON.parse(line)
    if (message.type === 'STATE') state = JSON.stringify(message.value)
    if (message.type !== 'RECORD') continue
    events.push({ type: 'track', event: 'ticket', messageId: message.record[KEY], userId: 'bench', timestamp: '2026-01-08T12:00:00.000Z', properties: message.record })
    if (events.length === SIZE) await flush()
  }
  if (events.length) await flush()
  await Promise.all(waiting)
  if (state) console.log(state)
  console.error(`sent ${sent}, batches retried ${retried}`)
}
main().catch((error) => { console.error(error); process.exit(1) })
