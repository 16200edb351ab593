using System.Security.Cryptography;
using DeviceHub.Channels.Http;
using DeviceHub.Core.Merchants;
using DeviceHub.Core.Payments;

namespace DeviceHub.Channels.WeChatPay;

/// <summary>The harmless question of both versions, an order that nobody made, and what its answer says of the account, in words.</summary>
internal static class WeChatTest
{
    public static ChannelReference NoSuchOrder(ChannelAccount account) => new("test" + RandomNumberGenerator.GetHexString(24, lowercase: true), account, 1);

    public static AccountCheck NoAnswer(ChannelAccount account, WeChatPayOptions options) =>
        new(false, $"{Host(account, options)} did not answer within {options.TestDeadline.TotalSeconds:0} s");

    /// <param name="wrongKey">What may be wrong when it does not understand us, or we not it.</param>
    public static AccountCheck Says(ChannelAccount account, WeChatPayOptions options, ChannelVerdict verdict, string wrongKey, Func<AccountCheck> answered) => verdict switch
    {
        { Verdict: Verdict.NotFound } => answered(),
        { Code: "account" } => new(false, verdict.Text!),
        { Code: "unreachable" } => new(false, $"{Host(account, options)} cannot be reached: its name, the connection or the TLS handshake failed; nothing was sent"),
        { Code: "timeout" } => new(false, $"{Host(account, options)} did not answer in time"),
        { Code: "clock-skew" } => new(false, $"the answer is signed by WeChat Pay, but its time is far from the hub's: {verdict.Text}"),
        { Code: "bad-signature" } => new(false, $"the answer is not signed as this account expects ({verdict.Text}): {wrongKey}"),
        { Code: "return-fail" or "http401" } => new(false, $"WeChat Pay refuses the question{(verdict.Text is { } text ? $" (\"{text}\")" : "")}: {wrongKey}"),
        { Code: "SIGN_ERROR" or "SIGNERROR" } => new(false, $"WeChat Pay does not take the hub's signature ({verdict.Code}): {wrongKey}"),
        { Code: "garbage" or "no-answer" or "too-large" } => new(false, $"what answers at {Host(account, options)} is not WeChat Pay ({verdict.Code})"),
        _ => new(false, $"WeChat Pay answers {verdict.Code}{(verdict.Text is { } text ? $": {text}" : "")}"),
    };

    private static string Host(ChannelAccount account, WeChatPayOptions options) =>
        (account.Setting(ChannelAddress.BaseUrl) is { } own ? new Uri(own) : options.Url).Host;
}
