using System.Globalization;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Server.SignIn;

namespace DeviceHub.Server.Hosting;

/// <summary>What a person who starts the hub must know, in a few lines of English and of Chinese. Not a log: it may hold a password.</summary>
internal static class StartNotice
{
    public static void ShowStartNotice(this WebApplication app) => app.Lifetime.ApplicationStarted.Register(() =>
    {
        var pages = app.Services.GetRequiredService<HttpListeners>().Addresses;
        var mqtt = app.Services.GetService<MqttAddresses>();
        var folder = app.Services.GetRequiredService<DataFolder>().Path;
        var password = app.Services.GetRequiredService<FirstAdministrator>().TakePassword();
        foreach (var culture in new[] { Texts.English, Texts.Chinese })
        {
            Console.Out.WriteLine(Compose(culture, pages, mqtt, folder, password));
        }
    });

    private static string Compose(CultureInfo culture, IReadOnlyList<Uri> pages, MqttAddresses? mqtt, string folder, string? password)
    {
        var terminals = string.Join("  ", new[] { mqtt?.Plain is { } plain ? $"mqtt://{plain}" : null, mqtt?.Tls is { } tls ? $"mqtts://{tls}" : null }.OfType<string>());
        var signIn = string.Format(culture, Texts.Get("StartSignIn", culture), pages[0] + SignInPages.Path[1..], FirstAdministrator.UserName);
        var secret = password is null ? Texts.Get("StartPasswordKnown", culture) : string.Format(culture, Texts.Get("StartPassword", culture), password);
        return $"""
            {Texts.Get("StartListens", culture)}
              {Texts.Get("StartPages", culture)}: {string.Join("  ", pages)}
              {Texts.Get("StartTerminals", culture)}: {terminals}
              {Texts.Get("StartData", culture)}: {folder}
              {signIn}
              {secret}
            """;
    }
}
