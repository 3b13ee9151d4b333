import {
  Activity,
  BellRing,
  Bot,
  Bug,
  ChartNoAxesColumn,
  FileCheck2,
  GitPullRequest,
  HeartPulse,
  LayoutDashboard,
  ListTree,
  type LucideIcon,
  MailX,
  MessageCircleQuestion,
  MoonStar,
  ScrollText,
  Settings2,
  SquareTerminal,
} from "lucide-react";

/** The pages, in the order they are offered. A narrow screen has room for the ones `first` in its bar, the rest are behind one more. */
export const PAGES = [
  { to: "/", title: "Overview", icon: LayoutDashboard, keys: "g o", section: "work", first: true },
  { to: "/live", title: "Live", icon: Activity, keys: "g l", section: "work", first: true },
  { to: "/orders", title: "Orders", icon: ListTree, keys: "g r", section: "work", first: true },
  { to: "/people", title: "For people", icon: MessageCircleQuestion, keys: "g h", section: "work", first: true },
  { to: "/executions", title: "Executions", icon: SquareTerminal, keys: "g e", section: "providers", first: false },
  { to: "/providers", title: "Providers", icon: Bot, keys: "g p", section: "providers", first: false },
  { to: "/dead-letters", title: "Dead letters", icon: MailX, keys: "g x", section: "providers", first: false },
  { to: "/analytics", title: "Analytics", icon: ChartNoAxesColumn, keys: "g a", section: "record", first: false },
  { to: "/delivery", title: "Delivery", icon: FileCheck2, keys: "g d", section: "record", first: false },
  { to: "/ops", title: "Ops", icon: MoonStar, keys: "g m", section: "night", first: false },
  { to: "/issues", title: "Issues", icon: Bug, keys: "g i", section: "night", first: false },
  { to: "/prs", title: "Pull requests", icon: GitPullRequest, keys: "g u", section: "night", first: false },
  { to: "/health", title: "Health", icon: HeartPulse, keys: "g w", section: "night", first: false },
  { to: "/logs", title: "Logs", icon: ScrollText, keys: "g k", section: "night", first: false },
  { to: "/alerts", title: "Alerts", icon: BellRing, keys: "g n", section: "night", first: false },
  { to: "/settings", title: "Settings", icon: Settings2, keys: "g s", section: "settings", first: false },
] as const satisfies readonly {
  to: string;
  title: string;
  icon: LucideIcon;
  keys: string;
  section: string;
  first: boolean;
}[];
