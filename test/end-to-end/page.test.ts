/**
 * The page in a real browser on a real platform, while its first refresh runs and after it.
 * `UPDATE_IMAGES=1 npm test -- end-to-end/page` renews the pictures of the documents from what it sees.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { RunningPlatform } from './running-platform.ts'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const isMissing = !existsSync(CHROMIUM)
// Where everything is tested, a missing browser is a failure.
const skip =
  isMissing && !process.env.CI && `there is no Chromium at ${CHROMIUM}. Install it (apt-get install chromium) or set CHROMIUM_PATH.`
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync']
const IMAGES = resolve(import.meta.dirname, '../../docs/images')
const LARGEST_IMAGE = 300_000
/** From an empty home to traffic, on a machine that has other work to do. */
const REFRESH_MS = 240_000

describe('the page on a real platform', { skip }, () => {
  let platform: RunningPlatform
  let browser: Browser
  let page: Page
  let folder: string
  const complaints: string[] = []
  const station = (name: string, state: string) => page.getByRole('button', { name: new RegExp(`^${name}: ${state}`) })
  const shoot = async (name: string) => {
    const path = join(folder, `${name}.png`)
    await page.screenshot({ path, animations: 'disabled' })
    if (!process.env.UPDATE_IMAGES) return
    const { size } = await stat(path)
    assert.ok(size < LARGEST_IMAGE, `${name}.png has ${size} bytes; pictures in the documents stay below ${LARGEST_IMAGE}.`)
    await copyFile(path, join(IMAGES, `${name}.png`))
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'daggerboard-page-'))
    platform = await RunningPlatform.start(['demo', '--size', process.env.UPDATE_IMAGES ? '1000000' : '300000'])
    const isUp = await platform.line((line) => line.includes('The platform is up at'))
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
    page = await browser.newPage({ viewport: { width: 1440, height: 1100 }, colorScheme: 'dark' })
    page.setDefaultTimeout(REFRESH_MS)
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(/http:\S+/.exec(isUp)?.[0] ?? '')
  })

  after(async () => {
    await browser?.close()
    await platform?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  it('lets the admin in while the refresh runs, and shows how it moves', async () => {
    const [name = '', password = ''] = RunningPlatform.login.split(':')
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Live', { exact: true }).waitFor()
    await station('Interval', 'succeeded, 7 days').waitFor()
    await station('Cluster', 'succeeded').waitFor()
    await station('Transform', 'succeeded, [\\d,]+ rows, of \\S+ events').waitFor()
    await station('Build', 'running').waitFor()
  })

  it('follows the log of the build that runs', async () => {
    await station('Build', '').click()
    const log = page.getByRole('log')
    await log.filter({ hasText: 'Starting Step #0 - "test"' }).waitFor()
    await log.filter({ hasText: /Step #1 - "train": .*trial 1 of \d+: auc 0\.\d+/ }).waitFor()
    await page.keyboard.press('Escape')
    await log.waitFor({ state: 'detached' })
  })

  it('shows the model with its AUC, and that it answers, as soon as it does', async () => {
    await station('Traffic', 'succeeded, 100 %').waitFor()
    await page.locator('.outcome', { hasText: 'succeeded' }).waitFor()
    await page.getByText(/^Model v1 \(AUC 0\.\d{4}\), learnt from [\d,]+ events, answers the requests in staging\.$/).waitFor()
    assert.match(
      (await page.getByRole('region', { name: 'Model version' }).textContent()) ?? '',
      /purchase_predict v1.*Staging.*AUC0\.\d{4}/,
    )
    await page.getByRole('button', { name: /^staging: purchase_predict v1, AUC 0\.\d{4}, trained on / }).waitFor()
    assert.ok((await page.getByRole('img', { name: /trials; the best, number \d+, scored 0\.\d{4}/ }).count()) === 1)
  })

  it('opens of the search only what its step said', async () => {
    await station('Search', 'succeeded').click()
    const log = page.getByRole('log')
    await log.filter({ hasText: /trial 1 of \d+: auc/ }).waitFor()
    assert.doesNotMatch((await log.textContent()) ?? '', /Step #|Starting/)
    await page.getByRole('button', { name: 'Whole build log' }).click()
    await log.filter({ hasText: 'FETCHSOURCE' }).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
  })

  it('opens the log of the task and of the revision', async () => {
    const log = page.getByRole('log')
    await station('Transform', 'succeeded').click()
    await log.filter({ hasText: 'The task has ended as success.' }).waitFor()
    await page.keyboard.press('Escape')
    await station('Revision', 'succeeded').click()
    await log.filter({ hasText: 'purchase_predict version 1' }).waitFor()
    await page.keyboard.press('Escape')
  })

  it('sends a row to the deployed model and reads a probability, or all that is wrong with the row', async () => {
    const form = page.getByRole('region', { name: 'Ask the deployed model' })
    const [price, hour] = [form.getByLabel('price'), form.getByLabel('hour')]
    await price.fill('cheap')
    await hour.fill('99')
    await form.getByRole('button', { name: 'Ask' }).click()
    const problems = form.getByRole('alert').getByRole('listitem')
    await problems.filter({ hasText: 'price' }).waitFor()
    assert.equal(await problems.count(), 2)
    await price.fill('254.82')
    await hour.fill('14')
    await page.keyboard.press('Enter')
    await form.getByText(/^[\d.]+ %$/).waitFor()
    await form.getByText(/^Will (not )?be bought$/).waitFor()
    await hour.blur()
    await shoot('refresh-dark')
    await page.getByRole('button', { name: 'Switch to light theme' }).click()
    await shoot('refresh-light')
  })

  it('starts another refresh, which takes its place at the head of the list', async () => {
    await page.getByRole('button', { name: 'Start a refresh' }).click()
    await page.getByRole('button', { name: 'Start in staging' }).click()
    const entries = page.getByRole('navigation', { name: 'Refreshes so far' }).getByRole('button')
    await entries.nth(1).waitFor()
    assert.match((await entries.nth(1).textContent()) ?? '', /serving.*succeeded, v1/)
    await station('Cluster', 'succeeded').waitFor()
  })

  it('has done all this without an error in the page', () => assert.deepEqual(complaints, []))
})
