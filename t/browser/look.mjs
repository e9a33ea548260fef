// How the pages look: in both languages and themes, on a narrow screen, and to
// those who cannot see them.
import { broken_rules, go, is, person, register, send, shot, sign_in, too_wide }
  from './browser.mjs';

const out = {
  home: (page) => go(page, '/'),
  signin: (page) => go(page, '/signin'),
  signin_wrong: async (page) => {
    await go(page, '/signin');
    await send(page, { username: 'nobody', password: 'x' });
  },
  register: (page) => go(page, '/register'),
  register_wrong: async (page) => {
    await go(page, '/register');
    await send(page, { username: '-', email: 'x', password: 'short' });
  },
  signed_out: (page) => go(page, '/logout'),
  message: (page) => go(page, '/auth/nothing'),
};

const inside = {
  home_in: (page) => go(page, '/'),
  logout: (page) => go(page, '/logout'),
  account: (page) => go(page, '/account?done=saved'),
  account_wrong: async (page) => {
    await go(page, '/account');
    await send(page, { current: 'x', new: 'x' },
      'section[aria-labelledby="password-title"] button');
  },
  profile: (page) => go(page, '/userprofile?done=saved'),
  profile_wrong: async (page) => {
    await go(page, '/userprofile');
    await send(page, { website: 'x', birthdate: 'x', postal_code: 'x'.repeat(40) },
      'main > form button');
  },
};

const unmade = {
  profile_new: (page) => go(page, '/userprofile'),
};

async function see(page, pages, suffix) {
  for (const [name, open] of Object.entries(pages)) {
    await page.setViewportSize({ width: 800, height: 700 });
    await open(page);
    await shot(page, `${name}-${suffix}`);
    is(await broken_rules(page), '', `${name}, ${suffix}: axe-core has nothing to say`);
    await page.setViewportSize({ width: 320, height: 640 });
    is(await too_wide(page), 0, '... and it fits a narrow screen');
    if (/^(en-light|ru-dark)$/.test(suffix)) await shot(page, `${name}-${suffix}-narrow`);
  }
}

export async function look() {
  const first = await person();
  await register(first, 'nina');
  await register(first, 'lena');
  await sign_in(first, 'lena');
  await go(first, '/userprofile');
  await send(first, { given_name: 'Lena', bio: 'a\nb', country: 'DE' });
  for (const [locale, colorScheme] of [['en-US', 'light'], ['en-US', 'dark'],
    ['ru-RU', 'light'], ['ru-RU', 'dark']]) {
    const suffix = `${locale.slice(0, 2)}-${colorScheme}`;
    const page = await person({ locale, colorScheme });
    await see(page, out, suffix);
    await sign_in(page, 'lena');
    await see(page, inside, suffix);
    is(page.complaints.join('; '), '', `${suffix}: the browser complains of nothing`);
    await page.context().close();
    const newcomer = await person({ locale, colorScheme });
    await sign_in(newcomer, 'nina');
    await see(newcomer, unmade, suffix);
    await newcomer.context().close();
  }
  await first.context().close();
}
