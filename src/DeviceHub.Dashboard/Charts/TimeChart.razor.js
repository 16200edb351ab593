// Draws a chart that the server describes in a few plain values; formatting and colours are ours, so nothing the server sends is ever run.
const file = '_content/Vizor.ECharts/js/vizor-echarts-bundle-min.js';
let loading;

function library() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = file;
    script.onload = () => resolve(window.echarts);
    script.onerror = () => reject(new Error('the chart library cannot be loaded'));
    document.head.append(script);
  });
  return loading;
}

const number = digits => new Intl.NumberFormat('en', { maximumFractionDigits: digits });
const money = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const say = (pattern, value) => pattern.replace('{0}', value);
const [whole, one, two] = [number(0), number(1), number(2)];
const units = {
  Count: v => whole.format(v),
  Fen: v => '¥' + (Math.abs(v) >= 1e6 ? whole : money).format(v / 100),
  Milliseconds: (v, words) => v < 1000 ? say(words.ms, whole.format(v)) : say(words.s, two.format(v / 1000)),
  Hours: (v, words) => say(words.h, (v < 10 ? one : whole).format(v)),
  Dbm: v => whole.format(v) + ' dBm',
  Share: (v, words) => say(words.percent, one.format(v * 100)),
};

const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A line of one point is none.
const alone = ({ values, bars }, i) => !bars && values[i] !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null;

function option(drawing, width) {
  const format = v => units[drawing.unit](v, drawing.words);
  // From half a step before the first time until half a step after the last, as bars need it and lines beside them get it, too.
  const { times } = drawing;
  const margin = times.length > 1 ? Math.min(...times.slice(1).map((t, i) => t - times[i])) / 2 : 1_800_000;
  // An axis of zeros alone has no length of its own, and no words.
  const nothing = drawing.unit !== 'Dbm' && drawing.series.every(s => s.values.every(v => !v));
  const [text, line, surface] = [color('--text-2'), color('--line'), color('--surface')];
  return {
    useUTC: true,
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    animationDuration: 200,
    animationDurationUpdate: 200,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    // One left edge for all, so that the times of charts above each other are above each other. Names of many series take two lines on a phone.
    grid: { left: 62, right: 20, top: drawing.series.length === 1 ? 10 : drawing.series.length > 4 && width < 460 ? 50 : 30, bottom: 22 },
    legend: { top: 0, left: 0, itemWidth: 10, itemHeight: 8, itemGap: 14, icon: 'roundRect', textStyle: { color: text, fontSize: 12 }, show: drawing.series.length > 1 },
    tooltip: {
      trigger: 'axis', confine: true, backgroundColor: surface, borderColor: line, textStyle: { color: color('--text'), fontSize: 12 },
      valueFormatter: v => v === null || v === undefined ? '–' : format(v),
    },
    xAxis: { type: 'time', min: times[0] - margin, max: times[times.length - 1] + margin, axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: text, fontSize: 11, hideOverlap: true, formatter: { hour: '{HH}:{mm}', minute: '{HH}:{mm}', day: '{MM}-{dd}', month: '{MM}-{dd}', year: '{yyyy}' } }, splitLine: { show: false } },
    yAxis: {
      type: 'value', min: drawing.unit === 'Dbm' ? null : 0, scale: drawing.unit === 'Dbm', max: drawing.unit === 'Share' || nothing ? 1 : null, interval: drawing.unit === 'Share' ? 0.5 : undefined, minInterval: drawing.unit === 'Count' ? 1 : 0, splitNumber: 3,
      axisLabel: { color: text, fontSize: 11, formatter: format }, splitLine: { lineStyle: { color: line } },
    },
    series: drawing.series.map(s => ({
      name: s.name, type: s.bars ? 'bar' : 'line', stack: s.bars ? 'all' : undefined, symbol: 'none', symbolSize: 5, barMaxWidth: 36, barCategoryGap: '20%', lineStyle: { width: 1.6 },
      itemStyle: { color: color('--tone-' + s.tone.toLowerCase()) }, emphasis: { disabled: true }, data: times.map((t, i) => alone(s, i) ? { value: [t, s.values[i]], symbol: 'circle' } : [t, s.values[i]]),
    })),
  };
}

export async function mount(element, drawing, receiver) {
  const echarts = await library();
  const chart = echarts.init(element, null, { renderer: 'svg' });
  let last = drawing;
  const draw = () => chart.setOption(option(last, element.clientWidth), { notMerge: false, replaceMerge: ['series'] });
  draw();
  const size = new ResizeObserver(() => { chart.resize(); draw(); });
  size.observe(element);
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', draw);
  if (receiver) {
    element.style.cursor = 'pointer';
    chart.getZr().on('click', e => {
      if (chart.containPixel('grid', [e.offsetX, e.offsetY])) {
        const [at] = chart.convertFromPixel('grid', [e.offsetX, e.offsetY]);
        const nearest = last.times.reduce((best, t, i) => Math.abs(t - at) < Math.abs(last.times[best] - at) ? i : best, 0);
        receiver.invokeMethodAsync('Pick', nearest);
      }
    });
  }
  return {
    update(next) { last = next; draw(); },
    dispose() { size.disconnect(); scheme.removeEventListener('change', draw); chart.dispose(); },
  };
}
