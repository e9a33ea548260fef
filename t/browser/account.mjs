// What people do with their account.
import { error, go, is, like, ok, password, person, register, send, sign_in, text,
  where } from './browser.mjs';

const section = (name) => `section[aria-labelledby="${name}-title"]`;

async function details(page) {
  await go(page, '/account');
  like(await text(page, 'dl'), /irma/, 'the account says whose it is');
  is(await send(page, { email: 'nobody', first_name: 'Ирма', last_name: 'Roe' },
    `${section('details')} button`), '422', 'a wrong e-mail address');
  like(await error(page, 'email'), /no e-mail address/, '... beside its field');
  is(await page.inputValue('#first_name'), 'Ирма', '... the others are kept');
  is(await send(page, { email: 'irma@example.net' },
    `${section('details')} button`), '303 200', 'the right one');
  like(await text(page, '[role=status]'), /saved/, '... is saved, it says');
  like(await text(page, 'dl'), /irma@example\.net \(not confirmed\)/, '... and it is');
}

async function sessions(page) {
  const others = [];
  for (let i = 0; i < 3; i++) {
    others.push(await person());
    await sign_in(others[i], 'irma');
  }
  await go(page, '/account');
  is(await page.locator('.sessions li').count(), 4, 'four sessions');
  like(await text(page, '.sessions li'), /Chrome, Linux[\s\S]*127\.0\.0\.1[\s\S]*20\d\d-\d\d-\d\d \d\d:\d\d/,
    '... by what, from where and when');
  is(await send(page, {}, '.sessions li >> nth=0 >> button'), '303 200', 'one is ended');
  is(await page.locator('.sessions li').count(), 3, '... three are left');
  is(await go(others[2], '/app/x'), 401, '... it was the newest');
  is(await go(others[1], '/app/x'), 200, '... and no other');
  is(await send(page, {}, `${section('sessions')} > form button`), '303 200',
    'all others are ended');
  is(await page.locator('.sessions li').count(), 1, '... one is left');
  is(await go(others[0], '/app/x'), 401, '... the others are out');
  is(await go(page, '/app/x'), 200, '... this one is not');
  for (const other of others) await other.context().close();
}

async function new_password(page) {
  const button = `${section('password')} button`;
  await go(page, '/account');
  is(await send(page, { current: 'wrong horse', new: 'another horse 8' }, button), '422',
    'a wrong password');
  like(await error(page, 'current'), /not your password/, '... beside its field');
  is(await error(page, 'password'), '', '... and not at the one to delete with');
  is(await send(page, { current: password, new: 'short' }, button), '422',
    'a short new one');
  like(await error(page, 'new'), /at least 8/, '... beside its field');
  is(where(page), '/password', '... at the address of the form');
  await page.goto(page.url());
  is(where(page), '/account', '... which leads to the page when asked for again');
  is(await send(page, { current: password, new: 'another horse 8' }, button),
    '303 200', 'the password is changed');
  like(await text(page, '[role=status]'), /password is changed/, '... it says so');
}

async function deletion(page) {
  const button = `${section('delete')} button`;
  is(await send(page, { password }, button), '422', 'to delete with a wrong password');
  like(await error(page, 'password'), /not your password/, '... beside its field');
  is(await error(page, 'current'), '', '... and not at the one to change it');
  is(await send(page, { password: 'another horse 8' }, button), '303 200', 'deleted');
  like(await text(page, '[role=status]'), /deleted/, '... it says so');
  is(await go(page, '/app/x'), 401, '... and signed out');
}

async function session_that_ended() {
  const page = await person();
  const twin = await page.context().newPage();
  await register(page, 'jutta');
  await sign_in(page, 'jutta');
  await go(page, '/account');
  await go(twin, '/account');
  await send(twin, {}, 'header button');
  is(await send(page, { last_name: 'Roe' }, `${section('details')} button`), '401',
    'a form of a session that has ended');
  like(await text(page), /session has ended/, '... says so');
  is(await send(page, { username: 'jutta', password }), '303 200', '... one signs in');
  is(where(page), '/account', '... and is there again');
  await page.click('.sessions li button');
  is(where(page), '/logout', 'ending one\'s own session signs out');
  ok(!/jutta/.test(await page.content()), '... indeed');
  await page.context().close();
}

export async function account() {
  const page = await person();
  await register(page, 'irma');
  await sign_in(page, 'irma');
  await details(page);
  await sessions(page);
  await new_password(page);
  await deletion(page);
  is(page.complaints.join('; '), '', 'the browser complains of nothing');
  await page.context().close();
  await session_that_ended();
}
