namespace DeviceHub.Dashboard.People;

/// <summary>A browser and its system in two words, of what it calls itself; it is what it says, and nothing depends on it.</summary>
internal static class Browsers
{
    /// <summary>The more special come first: most call themselves like others, too.</summary>
    private static readonly (string Mark, string Name)[] Known =
        [("MicroMessenger/", "WeChat"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl")];

    private static readonly (string Mark, string Name)[] Systems =
        [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux")];

    public static string Name(string? userAgent, string unknown)
    {
        var browser = Known.FirstOrDefault(k => userAgent?.Contains(k.Mark, StringComparison.Ordinal) == true).Name;
        var system = Systems.FirstOrDefault(k => userAgent?.Contains(k.Mark, StringComparison.Ordinal) == true).Name;
        return browser is null ? unknown : system is null ? browser : $"{browser} · {system}";
    }
}
