import {
  Activity,
  BellRing,
  ChartNoAxesColumn,
  FileCheck2,
  LayoutDashboard,
  ListTree,
  type LucideIcon,
  ScrollText,
  Settings2,
} from "lucide-react";

/** The pages, in the order they are offered. */
export const PAGES = [
  { to: "/", title: "Overview", icon: LayoutDashboard, keys: "g o" },
  { to: "/live", title: "Live", icon: Activity, keys: "g l" },
  { to: "/orders", title: "Orders", icon: ListTree, keys: "g r" },
  { to: "/analytics", title: "Analytics", icon: ChartNoAxesColumn, keys: "g a" },
  { to: "/delivery", title: "Delivery", icon: FileCheck2, keys: "g d" },
  { to: "/logs", title: "Logs", icon: ScrollText, keys: "g k" },
  { to: "/alerts", title: "Alerts", icon: BellRing, keys: "g n" },
  { to: "/settings", title: "Settings", icon: Settings2, keys: "g s" },
] as const satisfies readonly { to: string; title: string; icon: LucideIcon; keys: string }[];
