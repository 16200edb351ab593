namespace DeviceHub.Tools.Seed;

/// <summary>Names as merchants and stores have them, Chinese and English; none of them is meant to be anybody's.</summary>
internal static class Names
{
    private static readonly string[] ChineseBrands =
    [
        "晨光", "云栖", "老街", "小满", "青禾", "福顺", "山海", "禾木", "南风", "六点", "竹里", "百味", "江南", "鹿鸣", "橙子", "金谷", "星河", "木槿", "春田", "同福",
        "拾光", "麦田", "蓝湾", "十里", "听雨", "甜心", "好邻", "北巷", "大树", "知味",
    ];

    private static readonly string[] ChineseTrades =
    [
        "咖啡", "便利店", "烘焙", "茶饮", "小面馆", "火锅", "药房", "书店", "水果", "超市", "生鲜", "餐厅", "花店", "眼镜", "烤鱼", "饺子馆", "轻食", "母婴",
    ];

    private static readonly string[] EnglishBrands =
    [
        "Blue Harbor", "Maple", "Northgate", "Copper Kettle", "Green Lantern", "Riverside", "Old Mill", "Golden Leaf", "Paper Crane", "Sunday", "Oak & Stone", "Lighthouse",
        "Velvet", "Harvest", "Silver Birch", "Two Rivers", "Little Owl", "Westwood",
    ];

    private static readonly string[] EnglishTrades = ["Coffee", "Bakery", "Market", "Pharmacy", "Books", "Noodles", "Grill", "Tea House", "Flowers", "Grocers", "Deli", "Sports"];

    private static readonly (string City, string English, string[] Places)[] Cities =
    [
        ("上海", "Shanghai", ["南京东路", "徐家汇", "陆家嘴", "静安寺", "五角场", "虹桥天地"]),
        ("北京", "Beijing", ["三里屯", "国贸", "中关村", "西单", "望京", "五道口"]),
        ("广州", "Guangzhou", ["天河城", "北京路", "珠江新城", "上下九", "番禺广场"]),
        ("深圳", "Shenzhen", ["华强北", "万象城", "海岸城", "东门老街", "科技园"]),
        ("杭州", "Hangzhou", ["武林广场", "西湖银泰", "滨江", "城西"]),
        ("成都", "Chengdu", ["春熙路", "太古里", "宽窄巷子", "高新"]),
        ("南京", "Nanjing", ["新街口", "夫子庙", "河西"]),
        ("武汉", "Wuhan", ["江汉路", "光谷", "楚河汉街"]),
        ("西安", "Xi'an", ["钟楼", "小寨", "大雁塔"]),
        ("重庆", "Chongqing", ["解放碑", "观音桥", "磁器口"]),
    ];

    /// <summary>One of some 700 names; merchants may have the same one.</summary>
    public static (string Name, bool English) Merchant(Dice dice) => dice.Chance(0.2)
        ? ($"{dice.Of(EnglishBrands)} {dice.Of(EnglishTrades)}", true)
        : (dice.Of(ChineseBrands) + dice.Of(ChineseTrades), false);

    /// <param name="number">Of the store in its merchant, from 1: a merchant's stores have different names.</param>
    public static string Store(Dice dice, bool english, int number)
    {
        var city = dice.Of(Cities);
        return english ? $"{city.English} {number}" : $"{city.City}{dice.Of(city.Places)}{(number == 1 ? "" : $"{number}号")}店";
    }

    /// <summary>Who works with the hub, without the first owner; the first of them is an owner, too.</summary>
    public static IReadOnlyList<string> People { get; } =
    [
        "support", "ops", "li.wei", "wang.fang", "zhang.min", "chen.jie", "liu.yang", "zhao.lei", "huang.ting", "zhou.hao", "wu.xia", "xu.jing", "sun.bo", "ma.chao", "zhu.lin",
        "hu.yan", "guo.feng", "he.ping", "gao.fei", "lin.na", "luo.gang", "zheng.kai", "liang.yu", "song.qi", "tang.rui", "deng.yun", "han.mei", "feng.tao", "cao.ying", "peng.li",
    ];

    public static string Cashier(Dice dice) => People[dice.Below(6)];

    /// <summary>The last number of the address of somebody's desk: mostly the own one.</summary>
    public static int Desk(string who, Dice dice) => dice.Chance(0.9) ? 10 + (who.Sum(c => c) % 200) : 10 + dice.Below(200);
}
