// The flow, by pages alone and without script.
import { base, error, go, is, like, ok, other, password, person, register, send,
  sign_in, text, where } from './browser.mjs';
import { profile_flow } from './profile.mjs';

async function whole_flow() {
  const page = await person({ javaScriptEnabled: false });
  is(await go(page, '/app/x?y=1'), 401, 'a protected page needs a session');
  like(await text(page), /Please go to login\.\.\./, '... and says so');
  is(await page.inputValue('[name=return_to]'), '/app/x?y=1',
    '... and will lead back');
  await page.click('main a');
  is(where(page), '/register?return_to=/app/x%3Fy%3D1', 'there is a way to register');
  is(await send(page, { username: 'flora', email: 'flora@example.org',
    first_name: 'Flora', password }), '303 200', 'registered');
  like(await text(page), /Your account is there/, '... it says so');
  is(await send(page, { username: 'flora', password: 'wrong horse 7' }), '401',
    'a wrong password');
  like(await text(page, '[role=alert]'), /username or the password is wrong/,
    '... is said to be');
  is(await page.inputValue('#username'), 'flora', '... the name stays');
  is(await page.inputValue('#password'), '', '... the password does not');
  is(await send(page, { password }), '303 200', 'signed in');
  is(where(page), '/app/x?y=1', '... and back at the page');
  like(await text(page, 'body'), /of flora/, '... of this user');

  await go(page, '/');
  like(await text(page, 'h1'), /^Hello, Flora$/, 'the home page knows who it is');
  is(await go(page, '/authenticate'), 200, 'the token can be had');
  like(await text(page, 'body'), /"token":"ey/, '... as JSON');
  await profile_flow(page);
  is(await send(page, {}, 'header button'), '303 200', 'signed out');
  is(where(page), '/logout', '...');
  like(await text(page, 'h1'), /^You are signed out$/, '... it says so');
  is(await go(page, '/userprofile'), 401, '... and the profile is closed');
  like(await text(page), /Please go to login\.\.\./, '... to sign in');

  await page.goBack();
  await page.goBack();
  is(where(page), '/userprofile', 'back at a page from before');
  ok(!/Nora|flora/.test(await text(page, 'body')), '... nothing of it is shown');
  is(page.complaints.join('; '), '', 'the browser complains of nothing');
  await page.context().close();
}

async function back_with_script() {
  const page = await person();
  await sign_in(page, 'flora');
  await go(page, '/account');
  like(await text(page), /flora@example\.org/, 'with script: the account');
  await send(page, {}, 'header button');
  await page.goBack();
  ok(!/flora/.test(await page.content()), '... and back after signing out: nothing');
  await page.context().close();
}

// Scheme and host decide where a browser does not say Sec-Fetch-Site.
async function without_fetch_metadata() {
  const page = await person();
  const seen = [];
  page.on('request', (request) => seen.push(request));
  is(await register(page, 'olga', other), '303 200',
    'a browser without Sec-Fetch-Site registers');
  const headers = await seen.find((r) => r.method() === 'POST').allHeaders();
  is(headers['sec-fetch-site'], undefined, '... it is without, indeed');
  is(headers.origin, other, '... but says where the form was');
  is(await send(page, { username: 'olga', password }), '303 200', '... signs in');
  is(await send(page, {}, 'header button'), '303 200', '... and out');
  await page.context().close();
}

async function below_a_prefix() {
  const page = await person();
  await go(page, '/auth/');
  await page.click('main a >> nth=1');
  is(where(page), '/auth/register', 'below a prefix: to the form');
  is(await send(page, { username: 'petra', email: 'petra@example.org',
    first_name: 'Petra', password }), '303 200', '... registered');
  is(where(page), '/auth/signin?done=registered', '... to sign in');
  is(await send(page, { username: 'petra', password }), '303 200', '... signed in');
  is(where(page), '/auth/', '... and at home');
  await page.click('main li a');
  is(where(page), '/auth/account', '... to the account');
  is(await send(page, { last_name: 'Roe' }, 'section button'), '303 200', '... changed');
  is(where(page), '/auth/account?done=saved', '... there');
  is(await send(page, {}, 'header button'), '303 200', '... signed out');
  is(where(page), '/auth/logout', '... there');
  await page.context().close();
}

async function by_keyboard() {
  const page = await person();
  await go(page, '/signin');
  await page.keyboard.press('Tab');
  is(await page.evaluate(() => document.activeElement.getAttribute('href')), '#main',
    'by keyboard: first the way to the content');
  const outline = await page.evaluate(
    () => getComputedStyle(document.activeElement).outlineStyle);
  is(outline, 'solid', '... and one sees where one is');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('flora');
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await Promise.all([page.waitForURL(`${base}/`), page.keyboard.press('Enter')]);
  like(await text(page, 'h1'), /Flora/, '... signed in');
  await page.context().close();
}

// What anybody may have put into a link.
async function elsewhere() {
  const page = await person();
  for (const bad of ['//evil.test/', '/\\evil.test/', 'https://evil.test/',
    '/%09/evil.test', 'javascript:alert(1)', '"><script>alert(1)</script>']) {
    await go(page, `/signin?return_to=${encodeURIComponent(bad)}`);
    const to = await page.inputValue('[name=return_to]');
    is(new URL(to, base).origin, base, `return_to=${bad} stays here`);
    is(await page.locator('script').count(), 0, '... as no script');
  }
  await go(page, '/account?done=%3Cb%3E');
  is(await page.locator('[role=status]').count(), 0, 'an unknown ?done= says nothing');
  is(await error(page, 'username'), '', '... nor is it an error');
  await page.context().close();
}

export async function flow() {
  await whole_flow();
  await back_with_script();
  await without_fetch_metadata();
  await below_a_prefix();
  await by_keyboard();
  await elsewhere();
}
