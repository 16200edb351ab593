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

const number = digits => new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const [whole, one, two] = [number(0), number(1), number(2)];
const units = {
  Count: v => whole.format(v),
  Fen: v => '¥' + (Math.abs(v) >= 1e6 ? whole : two).format(v / 100),
  Milliseconds: v => v < 1000 ? whole.format(v) + ' ms' : two.format(v / 1000) + ' s',
  Hours: v => (v < 10 ? one : whole).format(v) + ' h',
  Dbm: v => whole.format(v) + ' dBm',
  Share: v => one.format(v * 100) + ' %',
};

const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function option(drawing) {
  const format = units[drawing.unit];
  const [text, line, surface] = [color('--text-2'), color('--line'), color('--surface')];
  return {
    useUTC: true,
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    animationDuration: 200,
    animationDurationUpdate: 200,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 20, top: drawing.series.length > 1 ? 30 : 10, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: 10, itemHeight: 8, icon: 'roundRect', textStyle: { color: text, fontSize: 12 }, show: drawing.series.length > 1 },
    tooltip: {
      trigger: 'axis', confine: true, backgroundColor: surface, borderColor: line, textStyle: { color: color('--text'), fontSize: 12 },
      valueFormatter: v => v === null || v === undefined ? '–' : format(v),
    },
    xAxis: { type: 'time', axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: text, fontSize: 11, hideOverlap: true, formatter: { hour: '{HH}:{mm}', minute: '{HH}:{mm}', day: '{MM}-{dd}', month: '{MM}-{dd}', year: '{yyyy}' } }, splitLine: { show: false } },
    yAxis: {
      type: 'value', min: drawing.unit === 'Dbm' ? null : 0, scale: drawing.unit === 'Dbm', max: drawing.unit === 'Share' ? 1 : null, interval: drawing.unit === 'Share' ? 0.5 : undefined, minInterval: drawing.unit === 'Count' ? 1 : 0, splitNumber: 3,
      axisLabel: { color: text, fontSize: 11, formatter: format }, splitLine: { lineStyle: { color: line } },
    },
    series: drawing.series.map(s => ({
      name: s.name, type: s.bars ? 'bar' : 'line', stack: s.bars ? 'all' : undefined, showSymbol: false, barCategoryGap: '20%', lineStyle: { width: 1.6 },
      itemStyle: { color: color('--tone-' + s.tone.toLowerCase()) }, emphasis: { disabled: true }, data: drawing.times.map((t, i) => [t, s.values[i]]),
    })),
  };
}

export async function mount(element, drawing, receiver) {
  const echarts = await library();
  const chart = echarts.init(element, null, { renderer: 'svg' });
  let last = drawing;
  const draw = () => chart.setOption(option(last), { notMerge: false, replaceMerge: ['series'] });
  draw();
  const size = new ResizeObserver(() => chart.resize());
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
