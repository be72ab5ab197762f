import type { ComponentProps, ComponentType } from "react";
import { Link } from "wouter";

/** A page of an app. */
export interface Page {
  path: string; // as wouter takes it; a component gets what stands for `:name`
  component: ComponentType<{ params: Record<string, string> }>;
}

/** What `pages.ts` in the folder of an app exports: its pages, and what it adds to the header of all pages. */
interface App {
  pages: Page[];
  Header?: ComponentType;
}

export const apps = Object.entries(import.meta.glob<App>("./*/pages.ts", { eager: true }));
export const pages = apps.flatMap(([, { pages }]) => pages);

/** A link of the menu: within these pages, or to one that Django makes. */
export function MenuLink({ href, ...link }: ComponentProps<"a"> & { href: string }) {
  return pages.some(({ path }) => path === href) ? (
    <Link href={href} {...link} />
  ) : (
    <a href={href} {...link} />
  );
}
