import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useWidth } from "../../lib/media.ts";
import { useTheme } from "../../lib/theme.ts";

/** A colour as the theme has it now: a canvas knows no variables. */
const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name);

const bars = uPlot.paths.bars?.({ size: [0.7, Number.POSITIVE_INFINITY] });

const optionsOf = (size: { width: number; height: number }, onLook: (index: number | null) => void): uPlot.Options => ({
  ...size,
  padding: [2, 0, 0, 0],
  legend: { show: false },
  axes: [{ show: false }, { show: false }],
  scales: {
    x: { time: false, range: (_, min, max) => [min - 0.5, max + 0.5] },
    y: { range: (_, _min, max) => [0, Math.max(1, max)] },
  },
  cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
  series: [
    {},
    {
      width: 0,
      points: { show: false },
      fill: () => token("--accent-ink"),
      ...(bars ? { paths: bars } : {}),
    },
  ],
  hooks: { setCursor: [({ cursor }) => onLook(cursor.idx ?? null)] },
});

const dataOf = (values: readonly number[]): uPlot.AlignedData => [
  values.map((_, second) => second - values.length + 1),
  [...values],
];

/** A series of counts a second, the present one last, as bars as wide as there is room; `onLook` tells which is pointed at. */
export default function RateChart({
  values,
  onLook,
}: {
  values: readonly number[];
  onLook: (index: number | null) => void;
}) {
  const element = useRef<HTMLDivElement>(null);
  const width = useWidth(element);
  const theme = useTheme((state) => state.theme);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(values);
  latest.current = values;

  const laidOut = width !== null && width > 0;
  useEffect(() => {
    const { current } = element;
    if (!laidOut || current === null) return;
    const size = { width: current.clientWidth, height: current.clientHeight };
    const made = new uPlot(optionsOf(size, onLook), dataOf(latest.current), current);
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [laidOut, onLook]);
  useEffect(() => {
    const { current } = element;
    if (current !== null) plot.current?.setSize({ width: current.clientWidth, height: current.clientHeight });
  }, [width]);
  useEffect(() => plot.current?.setData(dataOf(values)), [values]);
  useEffect(() => plot.current?.redraw(), [theme]);

  return <div ref={element} className="h-full w-full overflow-hidden" aria-hidden />;
}
