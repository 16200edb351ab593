namespace DeviceHub.Dashboard.SignIn;

/// <summary>The words of the pages before there is a session.</summary>
internal sealed class SignInWords;
