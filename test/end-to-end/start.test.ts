import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { RunningPlatform } from './running-platform.ts'

test('two platforms with homes and ports of their own run side by side, and know nothing of each other', async () => {
  const platforms = await Promise.all([RunningPlatform.start(['start']), RunningPlatform.start(['start'])])
  try {
    const [first, second] = await Promise.all(platforms.map(async (platform) => platform.client(await platform.endpoint())))
    assert.ok(first && second && first.endpoint !== second.endpoint)
    await first.post('/api/v2/variables', { key: 'ONLY_HERE', value: '1' })
    await assert.rejects(second.get('/api/v2/variables/ONLY_HERE'), /404/)
    const token = await (platforms[0] as RunningPlatform).token(first.endpoint)
    const stranger = await fetch(`${second.endpoint}/api/v2/variables`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(stranger.status, 401)
  } finally {
    await Promise.all(platforms.map((platform) => platform.remove()))
  }
})

test('a second platform in the same home is refused and told what to do, and the first one runs on', async () => {
  const first = await RunningPlatform.start(['start'])
  try {
    const client = await first.client(await first.endpoint())
    const second = await RunningPlatform.start(['start'], { home: first.home })
    assert.equal(await second.exit(), 1)
    assert.match(second.output, /is running in .* Stop it, or set DAGGERBOARD_HOME and DAGGERBOARD_PORT/)
    assert.equal((await client.get<{ status: string }>('/health')).status, 'ok')
  } finally {
    await first.remove()
  }
})

test('the generated password of the admin is printed once, opens the platform, and is kept only as a hash', async () => {
  const first = await RunningPlatform.start(['start'], { generatedPassword: true })
  try {
    const endpoint = await first.endpoint()
    const line = await first.line((each) => each.includes('admin / '))
    const password = /admin \/ (\S+)/.exec(line)?.[1] ?? ''
    const logIn = (body: object) => fetch(`${endpoint}/auth/token`, { method: 'POST', body: JSON.stringify(body) })
    assert.equal((await logIn({ username: 'admin', password })).status, 201)
    assert.equal((await logIn({ username: 'admin', password: 'another' })).status, 401)
    assert.equal(await first.stop(), 0)
    const kept = await Promise.all(
      ['platform.sqlite', 'platform.sqlite-wal'].map((name) => readFile(join(first.home, name)).catch(() => '')),
    )
    for (const bytes of kept) assert.ok(!bytes.includes(password))
    assert.equal((await stat(first.home)).mode & 0o077, 0)
    const second = await RunningPlatform.start(['start'], { home: first.home, generatedPassword: true })
    await second.endpoint()
    await second.stop()
    assert.doesNotMatch(second.output, /admin \/ /)
  } finally {
    await first.remove()
  }
})
