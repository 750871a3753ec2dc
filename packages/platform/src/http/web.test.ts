import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { webDoor } from './web.ts'

const home = mkdtempSync(join(tmpdir(), 'web-door-'))
after(() => rmSync(home, { recursive: true }))
const folder = join(home, 'dist')
mkdirSync(join(folder, 'assets'), { recursive: true })
writeFileSync(join(folder, 'index.html'), '<title>page</title>')
writeFileSync(join(folder, 'assets', 'index-1a2b.js'), 'export {}')
writeFileSync(join(home, 'secret.txt'), 'treasure')
const get = (path: string, from = folder) => webDoor({ folder: from }).fetch(new Request(`http://localhost${path}`))

describe('the page', () => {
  it('is served at any address that is not a protocol', async () => {
    for (const path of ['/', '/refreshes/pipeline_ml_staging~manual', '/index.html']) {
      const response = await get(path)
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('cache-control'), 'no-cache')
      assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self'/)
      assert.match(await response.text(), /page/)
    }
  })

  it('lets hashed assets be kept for ever', async () => {
    const response = await get('/assets/index-1a2b.js')
    assert.equal(response.headers.get('content-type'), 'text/javascript; charset=utf-8')
    assert.match(response.headers.get('cache-control') ?? '', /immutable/)
  })

  it('never stands in for an address of a protocol or a missing asset', async () => {
    for (const path of ['/api/v2/nothing', '/assets/old.js', '/v1/projects/x']) assert.equal((await get(path)).status, 404)
  })

  it('gives nothing from outside its folder', async () => {
    for (const path of ['/..%2fsecret.txt', '/%2e%2e/secret.txt', '/assets/..%2f..%2fsecret.txt', '/..%5csecret.txt'])
      assert.doesNotMatch(await (await get(path)).text(), /treasure/)
  })

  it('says what to run when it has not been built', async () => {
    const response = await get('/', join(home, 'nowhere'))
    assert.equal(response.status, 503)
    assert.match(await response.text(), /npm run build:web/)
  })
})
