const path = require('path'), S = process.env.SEGMENT_SOURCE + '/packages', fs = require('fs')
require('esbuild').build({
  entryPoints: ['segment.ts'], bundle: true, platform: 'node', target: 'node20', outfile: 'segment.cjs', logLevel: 'info',
  plugins: [{ name: 'here', setup(b) {
    const at = (f, p) => b.onResolve({ filter: f }, p)
    const found = (p) => ({ path: [p + '.ts', p + '/index.ts'].find((x) => fs.existsSync(x)) })
    at(/^HUBSPOT\//, (a) => found(S + '/destination-actions/src/destinations/hubspot/' + a.path.slice(8)))
    at(/^@segment\/actions-core/, (a) => found(S + '/core/src' + a.path.slice('@segment/actions-core'.length)))
    at(/^@segment\/destination-subscriptions$/, () => found(S + '/destination-subscriptions/src'))
    at(/^@segment\/ajv-human-errors$/, () => found(S + '/ajv-human-errors/src'))
    b.onLoad({ filter: /hubspot\/properties\.ts$/ }, (a) => ({ loader: 'ts', contents: fs.readFileSync(a.path, 'utf8').replace("'https://api.hubapi.com'", 'process.env.SANDBOX_HUBSPOT_URL as string') }))
  } }],
}).catch(() => process.exit(1))
