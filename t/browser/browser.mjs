// A browser, what is claimed of it, and what a person does with it.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const [base, driver, executablePath, shots] = process.argv.slice(2);
const require = createRequire(path.join(driver, 'node_modules') + '/');
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export { base };
export const port = new URL(base).port;
// Not trustworthy to a browser: it sends no Sec-Fetch headers there.
export const other = `http://gateway.test:${port}`;
export const password = 'correct horse 7';

let failed = false;

export function ok(is, what, detail) {
  console.log(`${is ? '' : 'not '}ok ${what}`);
  if (!is) {
    failed = true;
    if (detail !== undefined) console.log(`    ${detail}`);
  }
}

export function is(got, wanted, what) {
  ok(got === wanted, what, `got ${got}, wanted ${wanted}`);
}

export function like(got, wanted, what) {
  ok(wanted.test(got), what, `got ${got}, wanted ${wanted}`);
}

let browser;

export async function start() {
  browser = await chromium.launch({ executablePath, args: [
    '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    '--host-resolver-rules=MAP gateway.test 127.0.0.1' ] });
}

export async function stop() {
  await browser.close();
  console.log('end');
  process.exitCode = failed ? 1 : 0;
}

// A person's browser: a page of it. What it complains of is kept in
// page.complaints: the content security policy, or a file that is not there.
export async function person(options = {}) {
  const context = await browser.newContext({ locale: 'en-US',
    viewport: { width: 800, height: 700 }, ...options });
  context.setDefaultTimeout(20000);
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    const text = message.text();
    // An error that is a page; an icon that is asked for beside what is none.
    if (message.type() === 'error' && !/status of (401|403|404|409|422)/.test(text)
      && !/\/favicon\.ico$/.test(message.location().url)) {
      page.complaints.push(text);
    }
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  return page;
}

// Goes there: the status.
export async function go(page, where, from = base) {
  const answer = await page.goto(where.startsWith('http') ? where : from + where);
  return answer.status();
}

// Fills in and sends the form that `button` is of: the status of the answer.
export async function send(page, fields, button = 'main button') {
  for (const [name, value] of Object.entries(fields)) {
    await page.fill(`[name="${name}"]:not([type=hidden])`, value);
  }
  const answers = [];
  const note = (answer) => {
    if (answer.request().isNavigationRequest()) answers.push(answer);
  };
  page.on('response', note);
  await Promise.all([
    page.waitForEvent('domcontentloaded'),
    page.click(button),
  ]);
  page.off('response', note);
  return answers.map((answer) => answer.status()).join(' ');
}

export function text(page, what = 'main') {
  return page.locator(what).first().innerText();
}

export async function error(page, field) {
  const at = page.locator(`[id="${field}-error"]`);
  return await at.count() ? (await at.innerText()).replace(/\s+/g, ' ') : '';
}

export function where(page) {
  const url = new URL(page.url());
  return url.pathname + url.search;
}

export async function register(page, username, from = base) {
  await go(page, '/register', from);
  return send(page, { username, password, email: `${username}@example.org`,
    first_name: 'Anna' });
}

export async function sign_in(page, username, from = base) {
  await go(page, '/signin', from);
  return send(page, { username, password });
}

export async function shot(page, name) {
  await page.screenshot({ path: path.join(shots, `${name}.png`),
    fullPage: true });
}

// Rules that the page breaks, by axe-core: WCAG 2.2 A and AA, and good habits.
export async function broken_rules(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  return found.violations.map((rule) => `${rule.id}: ${rule.nodes
    .map((node) => node.html.slice(0, 120)).join(' | ')}`).join('; ');
}

// What is wider than the window.
export function too_wide(page) {
  return page.evaluate(() => document.documentElement.scrollWidth
    - document.documentElement.clientWidth);
}
