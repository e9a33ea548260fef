// What people do with their profile.
import { error, go, is, like, ok, password, person, register, send, sign_in, text,
  where } from './browser.mjs';

const form = 'main > form button';
const filled = { given_name: 'Nora', family_name: 'O\'Neill & <b>', birthdate: '1990-12-31',
  gender: 'female', phone_number: '+491701234567', website: 'https://example.org/?a=1&b=2',
  locale: 'fr-CA', zoneinfo: 'Europe/Paris', bio: 'one\n\ntwo', locality: 'Paris',
  street_address: '1 rue\nB', country: 'France' };
const bad = { birthdate: [/no date/, /не дата/], website: [/no address/, /не адрес/],
  phone_number: [/no phone number/, /не номер/], zoneinfo: [/no time zone/, /не часовой/],
  locale: [/no language/, /не язык/] };

async function shows(page, values, what) {
  for (const [name, value] of Object.entries(values)) {
    const got = await page.inputValue(`#${name}`);
    if (got !== value) ok(false, `${what}: ${name}`, `got ${got}`);
  }
  ok(true, `${what}: each field`);
}

// Rows 4, 5 and 6 of the flow, without script.
export async function profile_flow(page) {
  await go(page, '/account');
  await page.click('nav a[href="/userprofile"]');
  is(where(page), '/userprofile', 'to the profile');
  like(await text(page), /You have no profile yet/, '... which is not there yet');
  is(await send(page, filled, form), '303 200', 'the profile is made');
  is(where(page), '/userprofile?done=created', '... and the page again');
  like(await text(page, '[role=status]'), /Your profile is there/, '... says so');
  is(await go(page, '/userprofile'), 200, 'the profile is read');
  await shows(page, filled, 'it is as it was typed');
  is(await send(page, { nickname: 'No', birthdate: '' }, form), '303 200', 'changed');
  like(await text(page, '[role=status]'), /saved/, '... it says so');
  await go(page, '/userprofile');
  await shows(page, { ...filled, nickname: 'No', birthdate: '' }, 'it is changed');
}

async function wrong(lang, locale, javaScriptEnabled) {
  const page = await person({ locale, javaScriptEnabled });
  await sign_in(page, 'nora');
  await go(page, '/userprofile');
  const typed = { given_name: 'kept', bio: 'a\nb' };
  for (const name of Object.keys(bad)) typed[name] = 'x"<b>';
  is(await send(page, typed, form), '422', `${lang}: all that can be wrong`);
  for (const [name, said] of Object.entries(bad)) {
    like(await error(page, name), said[lang === 'en' ? 0 : 1], `... ${name}`);
    is(await page.getAttribute(`#${name}`, 'aria-invalid'), 'true', '... marked');
  }
  is(await page.locator('.field .error').count(), Object.keys(bad).length,
    '... and nothing else');
  is(await page.locator('[role=alert] li a').count(), Object.keys(bad).length,
    '... all of it above, too');
  await page.click('[role=alert] a[href="#website"]');
  like(page.url(), /#website$/, '... which leads to the field');
  await shows(page, typed, '... what was typed is kept');
  is(page.complaints.join('; '), '', '... the browser complains of nothing');
  await page.context().close();
}

async function two_windows() {
  const page = await person();
  await register(page, 'paula');
  await sign_in(page, 'paula');
  const twin = await page.context().newPage();
  await go(page, '/userprofile');
  await go(twin, '/userprofile');
  is(await send(twin, { nickname: 'first' }, form), '303 200', 'two windows make one');
  is(await send(page, { nickname: 'second' }, form), '409', '... the second is late');
  is(await page.inputValue('#nickname'), 'second', '... and keeps what was typed');
  is(await send(page, {}, form), '303 200', '... sent again, it changes it');
  is(await send(twin, { nickname: 'third' }, form), '412', 'the other is late now');
  like(await text(twin, '[role=alert]'), /changed elsewhere/, '... it is told');
  is(await send(twin, {}, form), '303 200', '... and may insist');
  is(await send(page, {}, 'section button'), '412', 'to delete what was changed');
  is(await page.inputValue('#nickname'), 'third', '... shows what there is');
  is(await send(page, {}, 'section button'), '303 200', '... and deletes it then');
  like(await text(page, '[role=status]'), /deleted/, '... it says so');
  await page.context().close();
}

// Signed out in another window, and the way back.
async function out_and_back() {
  const page = await person();
  await sign_in(page, 'nora');
  await go(page, '/userprofile');
  is(await page.inputValue('#given_name'), 'Nora', 'with script: the profile');
  const twin = await page.context().newPage();
  await go(twin, '/userprofile');
  is(await send(twin, {}, 'header button'), '303 200', 'signed out from the profile');
  is(await send(page, { given_name: 'late' }, form), '401', '... no form is taken then');
  is(await send(page, { username: 'nora', password }), '303 200', '... one signs in');
  is(where(page), '/userprofile', '... and is there again');
  is(await page.inputValue('#given_name'), 'Nora', '... nothing was changed');
  await send(page, {}, 'header button');
  await page.goBack();
  ok(!/Nora/.test(await page.content()), 'back after signing out: nothing of it');
  await page.context().close();
}

async function below_a_prefix() {
  const page = await person();
  await sign_in(page, 'nora');
  await go(page, '/me/userprofile');
  is(await send(page, { nickname: 'pre' }, form), '303 200', 'below a prefix: changed');
  is(where(page), '/me/userprofile?done=saved', '... and there');
  is(await page.inputValue('#nickname'), 'pre', '... it is');
  await page.context().close();
}

export async function profile() {
  const page = await person({ javaScriptEnabled: false });
  await register(page, 'nora');
  await sign_in(page, 'nora');
  await profile_flow(page);
  await page.context().close();
  await wrong('en', 'en-US', true);
  await wrong('ru', 'ru-RU', false);
  await two_windows();
  await out_and_back();
  await below_a_prefix();
}
