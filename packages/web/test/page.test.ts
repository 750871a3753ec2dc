/** The page in a real browser, against the real doors and told stories; what it looks like is in `screenshots`. On a real platform: test/end-to-end/page.test.ts. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { weeklyRefresh } from '../src/canned/story.ts'
import { startPlatform } from './platform.ts'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const skip = !existsSync(CHROMIUM) && `there is no Chromium at ${CHROMIUM}. Install it (apt-get install chromium) or set CHROMIUM_PATH.`
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const HALF_WAY = 25
const WEEK_MS = 7 * 86_400_000
const MONDAY_MS = (4 * 24 + 5) * 3_600_000
const web = join(import.meta.dirname, '..')
const screenshots = join(import.meta.dirname, 'screenshots')

describe('the refresh page', { skip }, () => {
  let platform: Awaited<ReturnType<typeof startPlatform>>
  let browser: Browser
  let page: Page
  const complaints: string[] = []
  const folder = mkdtempSync(join(tmpdir(), 'web-page-'))
  const began = new Date(Date.now() - HALF_WAY * 1000)
  const lastMonday = Date.now() - ((Date.now() - MONDAY_MS) % WEEK_MS)
  const story = weeklyRefresh({ began, week: new Date(lastMonday), version: 11, environment: 'staging' })
  const station = (name: string) => page.getByRole('button', { name: new RegExp(`^${name}:`) })
  const shoot = async (name: string, fullPage = false) => {
    await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage, animations: 'disabled' })
  }

  before(async () => {
    mkdirSync(screenshots, { recursive: true })
    await build({ root: web, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
    platform = await startPlatform(folder)
    for (const weeksAgo of [4, 3, 2, 1]) {
      const week = new Date(lastMonday - weeksAgo * WEEK_MS)
      const ending = weeksAgo === 3 ? 'gate fails' : 'success'
      platform.tell(weeklyRefresh({ began: week, week, version: 11 - 2 * weeksAgo, environment: 'staging', ending }), week)
      const later = new Date(week.getTime() + 3_600_000)
      if (weeksAgo !== 3) platform.tell(weeklyRefresh({ began: later, week, version: 12 - 2 * weeksAgo, environment: 'production' }), later)
    }
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
    page = await browser.newPage({ viewport: { width: 1440, height: 940 }, colorScheme: 'dark' })
    page.setDefaultTimeout(10_000)
    page.on('pageerror', (error) => complaints.push(error.message))
    // The browser itself reports every refused request; the refusals here are part of the story.
    page.on('console', (entry) => entry.type() === 'error' && !/status of 40[01]/.test(entry.text()) && complaints.push(entry.text()))
  })
  after(async () => {
    await browser?.close()
    await platform?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('asks for a login, and says so when it was the wrong one', async () => {
    await page.goto(platform.url)
    await page.getByLabel('Password').fill('drift')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').filter({ hasText: 'Name or password is wrong. Try again.' }).waitFor()
    await shoot('login-dark')
    await page.getByLabel('Password').fill('sail')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Live', { exact: true }).waitFor()
  })

  it('lists the refreshes so far with their model, score and duration', async () => {
    const entries = page.getByRole('navigation', { name: 'Refreshes so far' }).getByRole('button')
    assert.equal(await entries.count(), 7)
    assert.match((await entries.first().textContent()) ?? '', /serving.*v10 · AUC 0\.7644.*production.*48 s/)
    assert.match((await entries.nth(4).textContent()) ?? '', /failed at Model/)
  })

  it('says first what is being served in which environment', async () => {
    const strip = page.getByRole('region', { name: 'Serving now' })
    await strip.getByRole('button', { name: /^staging: purchase_predict v9, AUC 0\.7635/ }).waitFor()
    await strip.getByRole('button', { name: /^production: purchase_predict v10, AUC 0\.7644/ }).waitFor()
  })

  it('moves the line while the refresh runs, without anybody loading the page again', async () => {
    platform.tell(story, began, -1, 1)
    await station('Cluster')
      .and(page.getByRole('button', { name: /running/ }))
      .waitFor()
    platform.tell(story, began, 1, HALF_WAY)
    await page.getByRole('button', { name: /^Transform: succeeded, 22,971 rows, of 1.24M events/ }).waitFor()
    await page.getByRole('button', { name: /^Search: running, 0\.\d+, AUC, 25 of 40 trials/ }).waitFor()
    await page.getByRole('img', { name: /^25 trials; the best/ }).waitFor()
    assert.ok(await station('Traffic').isDisabled())
    await shoot('running-dark')
  })

  it('opens the log of a part and follows it as it grows', async () => {
    await station('Build').click()
    const log = page.getByRole('log')
    await log.filter({ hasText: 'starting build' }).waitFor()
    platform.log.write('Step #2 - "pipeline": \u001b[36mtrial 26 of 40\u001b[0m auc 0.7621')
    await log.filter({ hasText: 'trial 26 of 40 auc 0.7621' }).waitFor()
    await shoot('log-dark')
    await page.keyboard.press('Escape')
    await log.waitFor({ state: 'detached' })
    await station('Transform').click()
    await log.filter({ hasText: 'task submit_job wrote 22971 rows' }).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
  })

  it('reaches traffic, and says so to those who cannot see it', async () => {
    platform.tell(story, began, HALF_WAY)
    await page.getByRole('button', { name: /^Traffic: succeeded, 100 %/ }).waitFor()
    await page.locator('[aria-live]', { hasText: 'The refresh succeeded.' }).waitFor({ state: 'attached' })
    assert.match(
      (await page.getByRole('region', { name: 'Model version' }).textContent()) ?? '',
      /v11.*Staging.*against v9.*AUC0\.7653.*0\.0018 better/,
    )
  })

  it('sends a row to the deployed model and shows what it answers, or all that is wrong with the row', async () => {
    const form = page.getByRole('region', { name: 'Ask the deployed model' })
    assert.equal(await form.getByLabel('Service').inputValue(), 'purchase-predict-api-staging')
    await form.getByLabel('price').fill('cheap')
    await form.getByRole('button', { name: 'Ask' }).click()
    await form.getByText('price is "cheap"; it must be a number.').waitFor()
    await form.getByLabel('price').fill('254.82')
    await form.getByRole('button', { name: 'Ask' }).click()
    await form.getByText('Will be bought').waitFor()
    await form.getByText('83.1 %').waitFor()
  })

  it('switches its theme and remembers it', async () => {
    await page.evaluate(() => scrollTo(0, 0))
    await page.getByRole('button', { name: 'Switch to light theme' }).click()
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'light')
    await shoot('success-light')
    await page.reload()
    await page.getByRole('button', { name: 'Switch to dark theme' }).waitFor()
  })

  it('starts a production refresh only after a confirmation', async () => {
    await page.getByRole('button', { name: 'Start a refresh' }).click()
    await page.getByRole('radio', { name: /^production/ }).check()
    const start = page.getByRole('button', { name: 'Start in production' })
    assert.ok(await start.isDisabled())
    await page.getByLabel('Yes, users may get the new model.').check()
    await start.click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    assert.deepEqual(platform.started, [{ dagId: 'pipeline_ml_production', body: { logical_date: null } }])
  })

  it('says at the station that failed what went wrong and what to do', async () => {
    const soon = new Date(Date.now() + 60_000)
    platform.tell(
      weeklyRefresh({ began: soon, week: new Date(lastMonday + WEEK_MS), version: 12, environment: 'staging', ending: 'gate fails' }),
      soon,
    )
    await page.getByText(/Model v12 was held back\. .*its auc 0\.7218 is below 0\.75\. Retrain on more data/).waitFor()
    await page.getByText(/Users notice nothing: staging answers from purchase_predict v11, revision /).waitFor()
    await shoot('failed-light')
    await page.getByRole('button', { name: 'Open its log', exact: true }).click()
    await page.getByRole('log').waitFor()
    await page.keyboard.press('Escape')
  })

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 380, height: 800 })
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 380)
    await shoot('failed-phone', true)
  })

  it('goes back to the login when the session has ended', async () => {
    await page.context().clearCookies()
    await page.reload()
    await page.getByRole('button', { name: 'Log in' }).waitFor()
  })

  it('opens with canned data and says that it is canned', async () => {
    for (const name of ['running', 'success', 'failed', 'broken', 'empty']) {
      await page.goto(`${platform.url}/?canned=${name}`)
      await page.getByText(`Canned data: ${name}`).waitFor()
      await page.getByRole('heading', { level: 1 }).waitFor()
    }
  })

  it('has done all this without a complaint of the browser', () => assert.deepEqual(complaints, []))
})
