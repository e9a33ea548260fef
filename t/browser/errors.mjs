// Every error stands beside its field, in the browser's language, and what was
// typed stays, but passwords.
import { base, error, go, is, like, ok, password, person, register, send, text }
  from './browser.mjs';

const required = { en: /^Error: This has to be filled in\.$/,
  ru: /^Ошибка: Это нужно заполнить\.$/ };

// What is typed, the field that is wrong, and what is said in both languages.
const wrong = [
  [{ username: '-x' }, 'username', /letter or digit first/, /первой буква/],
  [{ username: 'x'.repeat(65) }, 'username', /at most 64/, /не больше 64/],
  [{ email: 'nobody' }, 'email', /no e-mail address/, /не адрес почты/],
  [{ email: `${'x'.repeat(250)}@example.org` }, 'email', /too long/, /длинно/],
  [{ first_name: ' Anna' }, 'first_name', /with a space/, /пробела/],
  [{ first_name: 'x'.repeat(101) }, 'first_name', /too long/, /длинно/],
  [{ password: 'sh0rt' }, 'password', /at least 8/, /чем 8/],
  [{ password: 'x1'.repeat(65) }, 'password', /at most 128/, /больше 128/],
  [{ password: 'password1' }, 'password', /everybody tries/, /первую очередь/],
  [{ password: 'anna-maria!' }, 'password', /your name/, /вашего имени/],
];

const right = { username: 'anna-maria', email: 'am@example.org', first_name: 'Anna',
  last_name: 'O\'Neill & <b>', password };

async function all_at_once(lang, locale) {
  const page = await person({ locale, javaScriptEnabled: false });
  await go(page, '/register');
  is(await page.getAttribute('html', 'lang'), lang, `${lang}: the page says so`);
  is(await send(page, {}), '422', '... an empty form');
  for (const field of ['username', 'email', 'first_name', 'password']) {
    like(await error(page, field), required[lang], `... ${field}`);
    is(await page.getAttribute(`#${field}`, 'aria-invalid'), 'true', '... marked');
    like(await page.getAttribute(`#${field}`, 'aria-describedby'),
      new RegExp(`\\b${field}-error\\b`), '... and joined');
  }
  is(await error(page, 'last_name'), '', '... last_name may be empty');
  like(await page.title(), lang === 'en' ? /^Error: / : /^Ошибка: /, '... the title, too');
  await page.context().close();
}

async function one_by_one(lang, locale) {
  const page = await person({ locale });
  await go(page, '/register');
  for (const [fields, field, en, ru] of wrong) {
    const typed = { ...right, ...fields };
    is(await send(page, typed), '422', `${lang}: ${JSON.stringify(fields).slice(0, 40)}`);
    like(await error(page, field), lang === 'en' ? en : ru, '... beside its field');
    is(await page.locator('.field .error').count(), 1, '... and nowhere else');
    for (const name of ['username', 'email', 'first_name', 'last_name']) {
      if (await page.inputValue(`#${name}`) !== typed[name]) {
        ok(false, `... ${name} is kept`);
      }
    }
    is(await page.inputValue('#password'), '', '... the password is not kept');
    ok(!(await page.content()).includes(typed.password), '... anywhere');
  }
  await page.context().close();
}

async function taken() {
  const page = await person();
  await register(page, 'greta');
  is(await register(page, 'GRETA'), '409', 'a username that is taken');
  like(await error(page, 'username'), /taken/, '... beside its field');
  is(await page.inputValue('#username'), 'GRETA', '... and kept');
  await page.context().close();
}

async function throttled() {
  const page = await person();
  await register(page, 'hedda');
  let status = '';
  for (let i = 0; i < 16 && status !== '429'; i++) {
    await go(page, '/signin?return_to=/app/z');
    status = await send(page, { username: 'hedda', password: 'wrong horse' });
  }
  is(status, '429', 'too many wrong passwords');
  like(await text(page, '[role=alert]'), /Seconds to wait.*: \d+/, '... how long to wait');
  is(await page.inputValue('#username'), 'hedda', '... the name stays');
  is(await page.inputValue('[name=return_to]'), '/app/z', '... and the way back');
  await page.context().close();
}

async function not_pages() {
  const page = await person();
  is(await go(page, '/account'), 401, 'the account without a session');
  is(await page.inputValue('[name=return_to]'), '/account', '... leads back to it');
  is(await go(page, '/sessions'), 401, 'the sessions, too');
  like(await text(page), /Please sign in/, '... say so');
  is(await go(page, '/auth/nothing'), 404, 'an unknown address');
  like(await text(page), /nothing at this address/, '... says so');
  const plain = await page.request.get(`${base}/account`,
    { headers: { Accept: 'application/json' } });
  is(plain.headers()['content-type'], 'application/problem+json',
    'who asks for JSON gets it');
  await page.context().close();
}

export async function errors() {
  await all_at_once('en', 'en-US');
  await all_at_once('ru', 'ru-RU');
  await one_by_one('en', 'en-US');
  await one_by_one('ru', 'ru-RU');
  await taken();
  await throttled();
  await not_pages();
}
