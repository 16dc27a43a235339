const R = process.env.RUDDER_SOURCE + '/src', fs = require('fs')
require('esbuild').build({
  entryPoints: ['rudder.ts'], bundle: true, platform: 'node', target: 'node20', outfile: 'rudder.cjs', packages: 'external', logLevel: 'error',
  plugins: [{ name: 'here', setup(b) {
    b.onResolve({ filter: /^R\// }, (a) => ({ path: ['.ts', '.js'].map((e) => R + a.path.slice(1) + e).find((x) => fs.existsSync(x)) }))
    b.onResolve({ filter: /^(isolated-vm|@bugsnag\/js)$/ }, (a) => ({ path: a.path, namespace: 'none' }))
    b.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'module.exports = {}', loader: 'js' }))
    b.onLoad({ filter: /destinations\/hs\/config\.ts$/ }, (a) => ({ loader: 'ts', contents: fs.readFileSync(a.path, 'utf8')
      .replace("'https://api.hubapi.com'", 'process.env.SANDBOX_HUBSPOT_URL as string').replace("'/properties/v1/contacts/properties'", "'/crm/v3/properties/contacts'") }))
  } }],
}).catch(() => process.exit(1))
